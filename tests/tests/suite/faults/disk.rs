//! SQLite: locked, disk full, or read-only. Operation resumes without a restart.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use registrar_tests::{Database, Process, Setup, TempDir, TestServer, cases, samples};
use serde_json::json;

use super::BACK;

cases! {
    a_database_that_somebody_else_holds_is_busy,
}

fn a_database_that_somebody_else_holds_is_busy(server: &TestServer) {
    let sample = samples::client("ann");
    let busy = server.database().with_write_lock(|| {
        let begun = Instant::now();
        let busy = server.client().submit("client_sign_up", &sample);
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
        busy
    });
    busy.fault(503, "base", "busy");
    assert_eq!(busy.header("retry-after"), Some("1"));
    let begun = Instant::now();
    server.client().submit("client_sign_up", &sample).created();
    assert!(begun.elapsed() < BACK, "{:?}", begun.elapsed());
}

/// A file system of a few megabytes, unmounted on drop.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// Prints a notice and returns `None` if mounting is not permitted.
    fn new() -> Option<Self> {
        let folder = TempDir::new();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"])
            .arg(folder.path())
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            println!("a small disk cannot be mounted here: skipped");
            return None;
        }
        Some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A directory that cannot be removed does not invalidate the test.
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

#[test]
fn a_full_disk_is_told_and_room_is_found_again() {
    let Some(disk) = SmallDisk::new() else { return };
    let url = format!("sqlite:{}", disk.path().join("registrar.db").display());
    let server = TestServer::start(Setup::at(url));
    let client = server.client();
    let mut sample = samples::seller("first");
    sample["transactables"]["boat"][0]["description"] = json!("x".repeat(50_000));
    client.submit("marketplace_seller", &sample).created();
    let ballast = disk.path().join("ballast");
    let mut file = File::create(&ballast).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    drop(file);

    let mut stored = 1;
    let full = (0..100).find_map(|nth| {
        sample["email"] = json!(format!("s{nth}@example.com"));
        sample["profiles"]["seller"]["properties"]["shop_name"] = json!(format!("shop {nth}"));
        sample["transactables"]["boat"][0]["properties"]["registration"] =
            json!(format!("{nth}-1"));
        sample["transactables"]["boat"][1]["properties"]["registration"] =
            json!(format!("{nth}-2"));
        let answer = client.submit("marketplace_seller", &sample);
        if answer.status != 201 {
            return Some(answer);
        }
        stored += 1;
        None
    });
    let full = full.unwrap();
    let text = full.fault(507, "base", "storage_full");
    assert_eq!(text, "the database's disk is full: its operator has to make room");
    client.get("/api/users/1").is(200);
    assert_eq!(client.count(), stored);
    let boats = server.database().count("transactables");
    assert_eq!((server.database().count("users"), boats), (stored, 2 * stored));

    fs::remove_file(&ballast).unwrap();
    let begun = Instant::now();
    client.submit("marketplace_seller", &sample).created();
    assert!(begun.elapsed() < BACK, "{:?}", begun.elapsed());
}

/// A user without privileges: root ignores permissions.
const NOBODY: u32 = 65534;

/// Returns a database that was served before, and a command that serves it without privileges.
fn used_before() -> (Setup, String, Command) {
    let setup = Setup::of(Database::Sqlite).unwrap();
    let server = setup.serve();
    let token = server.first_token();
    // Graceful shutdown is available from the first response on.
    server.anonymous().get("/health/live").is(200);
    server.send_sigterm();
    server.wait_for_exit().success();
    let mut command = setup.command(&["serve", "--migrate", "false"]);
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        for path in [setup.folder(), setup.folder().join("registrar.db")] {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        command.uid(NOBODY).gid(NOBODY);
    }
    (setup, token, command)
}

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_may_not_be_written_to_is_told_at_the_start() {
    let (setup, token, mut command) = used_before();
    let (folder, file) = (setup.folder(), setup.folder().join("registrar.db"));
    for (path, taken, given) in [(&folder, 0o555, 0o755), (&file, 0o444, 0o644)] {
        permit(path, taken);
        let said = registrar_tests::run_command(&mut command).failure(1).stderr;
        assert!(said.starts_with("registrar: cannot "), "{said}");
        assert!(said.contains(": attempt to write a readonly database"), "{said}");
        permit(path, given);
    }
    // SQLite gives its auxiliary files the permissions of the database.
    for entry in fs::read_dir(&folder).unwrap() {
        permit(&entry.unwrap().path(), 0o644);
    }
    let server = Process::start(&mut command);
    let client = server.client(&token);
    client.submit("client_sign_up", &samples::client("ann")).created();
    // Open files remain writable.
    permit(&file, 0o444);
    permit(&folder, 0o555);
    client.submit("client_sign_up", &samples::client("bob")).created();
    assert_eq!(client.count(), 2);
    permit(&folder, 0o755);
}
