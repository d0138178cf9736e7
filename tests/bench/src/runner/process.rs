//! What Linux tells of a process: the time it had on the processors, and its memory.

use std::fs;
use std::time::Duration;

use super::Outcome;

/// A tick of `/proc/PID/stat`: 100 a second on every Linux that we know of.
const TICK: Duration = Duration::from_millis(10);

/// What a process and its children that ended had of the processors.
pub(super) fn cpu(pid: u32) -> Outcome<Duration> {
    let (_, ticks) = stat(pid)?;
    Ok(TICK * ticks)
}

/// The same for a process and all its children, those that live too.
pub(super) fn cpu_of_family(parent: u32) -> Outcome<Duration> {
    let mut sum = cpu(parent)?;
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // One that ended meanwhile is counted with its parent next time.
        if let Ok((of, ticks)) = stat(pid)
            && of == parent
        {
            sum += TICK * ticks;
        }
    }
    Ok(sum)
}

/// The parent of a process.
pub(super) fn parent(pid: u32) -> Outcome<u32> {
    Ok(stat(pid)?.0)
}

/// The parent, and the ticks of the process and of its children that ended.
fn stat(pid: u32) -> Outcome<(u32, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in brackets, may hold anything.
    let fields: Vec<&str> =
        text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |number: usize| -> Outcome<u32> {
        Ok(fields.get(number).ok_or("`/proc/PID/stat` is short")?.parse()?)
    };
    // proc(5) numbers from 1: ppid is 4, utime 14, stime 15, cutime 16, cstime 17; the rest begins
    // with field 3.
    Ok((field(1)?, field(11)? + field(12)? + field(13)? + field(14)?))
}

/// Memory of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// Now.
    Resident,
    /// The most since [`reset_peak`].
    Peak,
}

/// Memory of a process, in MiB.
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

/// Lets the peak of a process's memory begin anew.
pub(super) fn reset_peak(pid: u32) -> Outcome<()> {
    Ok(fs::write(format!("/proc/{pid}/clear_refs"), "5")?)
}

/// The load average of the last minute.
pub(super) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("?").to_owned()
}
