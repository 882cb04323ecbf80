//! How much memory this process may take.

use std::fs;
use std::path::Path;

/// Returns the bytes of memory that the control groups of Linux leave this process, if they limit it.
pub fn memory_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    limit_below(Path::new("/sys/fs/cgroup"), &groups)
}

/// The least limit of the groups that a process is in, and of those above them.
fn limit_below(root: &Path, groups: &str) -> Option<u64> {
    let lines = groups.lines().filter_map(|line| {
        let (controllers, group) = line.split_once(':')?.1.split_once(':')?;
        let (folder, file) = match controllers {
            "" => (root.to_path_buf(), "memory.max"),
            "memory" => (root.join("memory"), "memory.limit_in_bytes"),
            _ => return None,
        };
        Some((folder, file, Path::new(group.trim_start_matches('/'))))
    });
    let all = lines.flat_map(|(folder, file, group)| {
        let limit = move |part: &Path| {
            fs::read_to_string(folder.join(part).join(file)).ok()?.trim().parse::<u64>().ok()
        };
        group.ancestors().filter_map(limit).collect::<Vec<u64>>()
    });
    all.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_limit_of_all_groups_above_counts() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("outer/inner");
        fs::create_dir_all(&inner).unwrap();
        let limit = |folder: &Path, text: &str| {
            crate::fs::replace(&folder.join("memory.max"), text.as_bytes()).unwrap();
        };
        assert_eq!(limit_below(root.path(), "0::/outer/inner\n"), None);
        limit(&inner, "max\n");
        limit(&root.path().join("outer"), "209715200\n");
        assert_eq!(limit_below(root.path(), "0::/outer/inner\n"), Some(200 << 20));
        limit(&inner, "104857600\n");
        assert_eq!(limit_below(root.path(), "1:cpu:/x\n0::/outer/inner\n"), Some(100 << 20));
        assert_eq!(limit_below(root.path(), "what is this"), None);
    }
}
