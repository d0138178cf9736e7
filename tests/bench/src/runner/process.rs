//! CPU time and memory of processes, from `/proc`.

use std::fs;
use std::time::Duration;

use super::Outcome;

/// Clock tick of `/proc/PID/stat`: 100 per second on all common Linux configurations.
const TICK: Duration = Duration::from_millis(10);

/// Returns the CPU time of a process and its finished children.
pub(super) fn cpu(pid: u32) -> Outcome<Duration> {
    let (_, ticks) = stat(pid)?;
    Ok(TICK * ticks)
}

/// Returns the CPU time of a process and all its children, including running ones.
pub(super) fn cpu_with_children(parent: u32) -> Outcome<Duration> {
    let mut sum = cpu(parent)?;
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A child that has finished meanwhile is counted with its parent next time.
        if let Ok((of, ticks)) = stat(pid)
            && of == parent
        {
            sum += TICK * ticks;
        }
    }
    Ok(sum)
}

/// Returns the parent of a process.
pub(super) fn parent(pid: u32) -> Outcome<u32> {
    Ok(stat(pid)?.0)
}

/// Returns the parent, and the ticks of the process and its finished children.
fn stat(pid: u32) -> Outcome<(u32, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The process name, in parentheses, may contain spaces.
    let fields: Vec<&str> =
        text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |number: usize| -> Outcome<u32> {
        Ok(fields.get(number).ok_or("`/proc/PID/stat` is short")?.parse()?)
    };
    // proc(5) counts from 1: ppid is 4, utime 14, stime 15, cutime 16, cstime 17; the fields here
    // start at 3.
    Ok((field(1)?, field(11)? + field(12)? + field(13)? + field(14)?))
}

/// Kind of memory figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// Current resident set size.
    Resident,
    /// Peak resident set size since [`reset_peak`].
    Peak,
}

/// Returns the memory of a process, in MiB.
pub(super) fn memory(pid: u32, which: Memory) -> Outcome<f64> {
    let name = match which {
        Memory::Resident => "VmRSS:",
        Memory::Peak => "VmHWM:",
    };
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next()).ok_or("no memory is told")?;
    Ok(kib.parse::<f64>()? / 1024.0)
}

/// Resets the peak resident set size of a process.
pub(super) fn reset_peak(pid: u32) -> Outcome<()> {
    Ok(fs::write(format!("/proc/{pid}/clear_refs"), "5")?)
}

/// Returns the load average of the last minute.
pub(super) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("?").to_owned()
}
