//! Bytes on a real remote and in a real cache, against the program: `fsck` exits with 4 and names the
//! object, and a pull brings the right bytes or fails and names it.

use super::Dice;
use super::packs::{Chunks, Subject, Tally};
use crate::args::Args;
use crate::figures::Figures;
use crate::harness::{Remote, Repo, World, data};

pub(super) fn run(args: &Args, figures: &mut Figures) {
    let (world, mut dice) = (World::new(), Dice::new(args.seed));
    let remote = world.remote("r");
    let a = repository(&world, &remote);
    bytes_of_packs(args, &remote, &mut dice, figures);
    there(args, (&a, &remote), &mut dice, figures);
    here(args, &a, &mut dice, figures);
}

/// Two versions of a folder, the second in part a delta to the first.
fn repository<'w>(world: &'w World, remote: &Remote) -> Repo<'w> {
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.haul(&["remote".as_ref(), "add".as_ref(), "origin".as_ref(), remote.as_arg()]).ok();
    let table = data::csv(1, 2500);
    a.write("d/table.csv", &table);
    a.write("d/noise.bin", &data::bytes(2, 150_000));
    a.write("d/small", b"a few bytes more than fit into the manifest of a tracked folder");
    a.write("one.bin", &data::bytes(3, 20_000));
    for message in ["one", "two"] {
        a.haul(&["add", "d", "one.bin"]).ok();
        a.git(&["add", "-A"]).ok();
        a.commit(message);
        a.haul(&["push"]).ok();
        a.write("d/table.csv", &data::edit_csv(&table, 4, 700..705));
    }
    a
}

/// Every byte of the packs, or a sample, against the library.
fn bytes_of_packs(args: &Args, remote: &Remote, dice: &mut Dice, figures: &mut Figures) {
    let keys = [remote.keys("p/"), remote.keys("m/")].concat();
    let mut chunks = Chunks::new();
    for key in &keys {
        let subject = Subject::new(key.clone(), remote.read(key), &chunks);
        chunks.extend(subject.chunks().collect::<Vec<_>>());
    }
    let mut tally = Tally::default();
    for key in &keys {
        // Once more, now that all bases are known.
        let mut subject = Subject::new(key.clone(), remote.read(key), &chunks);
        let length = subject.bytes.len();
        let places: Vec<usize> = if args.long {
            (0..length).collect()
        } else {
            (0..40).map(|_| dice.below(length)).collect()
        };
        for at in places {
            let mask = dice.mask();
            subject.flip((at, mask), &chunks, (&mut tally, figures));
        }
    }
    tally.tell("packs of a remote", figures);
}

/// A sample of everything on the remote.
fn there(args: &Args, (a, remote): (&Repo, &Remote), dice: &mut Dice, figures: &mut Figures) {
    let keys = [remote.keys("p/"), remote.keys("m/"), remote.keys("i/")].concat();
    let (mut right, cases) = (0_u64, args.cases(1000, 12));
    for case in 0..cases {
        let number = usize::try_from(case).expect("fits") % keys.len();
        let key = keys.get(number).expect("is one of them");
        let (at, mask) = (dice.below(remote.read(key).len()), dice.mask());
        let told = format!("{key}, byte {at} ^ {mask:#04x}");
        change(remote, key, (at, mask));
        let fsck = a.haul(&["fsck", "--remote"]);
        if fsck.status() != Some(4) || !fsck.stdout().contains(key) {
            figures.miss(format!("{told}: not found by fsck\n{fsck}"));
        }
        let clone = a.clone_as(&format!("clone-{case}"));
        let pull = clone.haul(&["pull"]);
        let name = key.rsplit('/').next().expect("has a name");
        match pull.status() {
            Some(0) if clone.tree().differences(&a.tree()).is_empty() => right += 1,
            Some(1 | 4) if pull.stderr().contains(name) => {}
            _ => figures.miss(format!("{told}: pulled\n{pull}")),
        }
        for path in ["d/table.csv", "d/noise.bin", "d/small", "one.bin"] {
            if clone.has(path) && clone.read(path) != a.read(path) {
                figures.miss(format!("{told}: wrong bytes in {path}"));
            }
        }
        std::fs::remove_dir_all(clone.path("")).expect("is removed");
        change(remote, key, (at, mask));
    }
    figures.row("remote: flips, each found by fsck", cases);
    figures.row("remote: pulls that were right", right);
    figures.row("remote: pulls that failed and named it", cases - right);
}

/// A sample of what a cache holds, pushed and not pushed.
fn here(args: &Args, a: &Repo, dice: &mut Dice, figures: &mut Figures) {
    a.write("new.bin", &data::bytes(9, 60_000));
    a.write("f/x", &data::bytes(10, 150_000));
    a.haul(&["add", "new.bin", "f"]).ok();
    let cases = args.cases(600, 8);
    let state = Remote::at(a.path(".git/haul"));
    let keys = [state.keys("packs/"), state.keys("unpushed/")].concat();
    for case in 0..cases {
        let number = usize::try_from(case).expect("fits") % keys.len();
        let key = keys.get(number).expect("is one of them");
        let (at, mask) = (dice.below(state.read(key).len()), dice.mask());
        change(&state, key, (at, mask));
        let fsck = a.haul(&["fsck", "--local"]);
        if fsck.status() != Some(4) || !fsck.stdout().contains(key) {
            figures.miss(format!("{key}, byte {at} ^ {mask:#04x}: not found by fsck\n{fsck}"));
        }
        change(&state, key, (at, mask));
    }
    figures.row("cache: flips, each found by fsck", cases);
}

fn change(folder: &Remote, key: &str, (at, mask): (usize, u8)) {
    let mut bytes = folder.read(key);
    *bytes.get_mut(at).expect("is that long") ^= mask;
    folder.write(key, &bytes);
}
