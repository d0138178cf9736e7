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

use super::RECOVERY_TIMEOUT;

cases! {
    locked_database_gets_503_busy,
}

fn locked_database_gets_503_busy(server: &TestServer) {
    let sample = samples::client("ann");
    let busy = server.database().with_write_lock(|| {
        let started = Instant::now();
        let busy = server.client().submit("client_sign_up", &sample);
        assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
        busy
    });
    busy.rejected(503, "base", "busy");
    assert_eq!(busy.header("retry-after"), Some("1"));
    let started = Instant::now();
    server.client().submit("client_sign_up", &sample).created();
    assert!(started.elapsed() < RECOVERY_TIMEOUT, "{:?}", started.elapsed());
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
fn full_disk_gets_507_and_recovers() {
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
        let response = client.submit("marketplace_seller", &sample);
        if response.status != 201 {
            return Some(response);
        }
        stored += 1;
        None
    });
    let full = full.unwrap();
    let text = full.rejected(507, "base", "storage_full");
    assert_eq!(text, "the database's disk is full: its operator has to make room");
    client.get("/api/users/1").is(200);
    assert_eq!(client.count(), stored);
    let boats = server.database().count("transactables");
    assert_eq!((server.database().count("users"), boats), (stored, 2 * stored));

    fs::remove_file(&ballast).unwrap();
    let started = Instant::now();
    client.submit("marketplace_seller", &sample).created();
    assert!(started.elapsed() < RECOVERY_TIMEOUT, "{:?}", started.elapsed());
}

/// A user without privileges: root ignores permissions.
const UNPRIVILEGED_UID: u32 = 65534;

/// Returns a database that was served before, and a command that serves it without privileges.
fn previously_served() -> (Setup, String, Command) {
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
            chown(path, Some(UNPRIVILEGED_UID), Some(UNPRIVILEGED_UID)).unwrap();
        }
        command.uid(UNPRIVILEGED_UID).gid(UNPRIVILEGED_UID);
    }
    (setup, token, command)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn read_only_database_is_reported_at_start() {
    let (setup, token, mut command) = previously_served();
    let (folder, file) = (setup.folder(), setup.folder().join("registrar.db"));
    for (path, denied_mode, allowed_mode) in [(&folder, 0o555, 0o755), (&file, 0o444, 0o644)] {
        set_mode(path, denied_mode);
        let said = registrar_tests::run_command(&mut command).failure(1).stderr;
        assert!(said.starts_with("registrar: cannot "), "{said}");
        assert!(said.contains(": attempt to write a readonly database"), "{said}");
        set_mode(path, allowed_mode);
    }
    // SQLite gives its auxiliary files the permissions of the database.
    for entry in fs::read_dir(&folder).unwrap() {
        set_mode(&entry.unwrap().path(), 0o644);
    }
    let server = Process::start(&mut command);
    let client = server.client(&token);
    client.submit("client_sign_up", &samples::client("ann")).created();
    // Open files remain writable.
    set_mode(&file, 0o444);
    set_mode(&folder, 0o555);
    client.submit("client_sign_up", &samples::client("bob")).created();
    assert_eq!(client.count(), 2);
    set_mode(&folder, 0o755);
}
