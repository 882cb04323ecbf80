//! Cuts one level of a tree anew where changes reach, and leaves the rest alone.

use std::collections::VecDeque;
use std::error::Error;

use super::item::Item;
use super::old::OldTree;
use super::splice::EditError;
use super::stream::{Change, Pulled, Stream};
use super::{BuiltNode, Entry, Kind, MAX_ENTRIES, cut_after};
use crate::hash::NodeId;

/// Applies changes to one level; returns what changes in the level above.
///
/// Starts at the first node whose cut can see a change and goes on until old and new nodes start
/// at the same entry with no further change in sight; then it jumps to the next change.
pub(super) struct Rewrite<'a, E, F, K> {
    old: &'a mut OldTree<E, F>,
    level: u8,
    changes: &'a [Change<E>],
    /// For each change, the first one from there on that moves cuts.
    movers: Vec<usize>,
    made: K,
    floor: u64,
    open: Change<E>,
    out: Vec<Change<E>>,
}

enum Next {
    /// The old nodes from this leaf number on stay, up to what this change reaches.
    Jump(u64, usize),
    /// The old node that starts here keeps its number of entries.
    Keep(usize),
    /// The cut must be found.
    Cut,
    /// No item is left.
    End,
}

impl<'a, E, F, B, S, K> Rewrite<'a, E, F, K>
where
    E: Entry,
    F: FnMut(NodeId) -> Result<B, S>,
    B: AsRef<[u8]>,
    S: Error + 'static,
    K: FnMut(BuiltNode) -> Result<(), EditError<S>>,
{
    pub(super) fn new(
        old: &'a mut OldTree<E, F>,
        level: u8,
        changes: &'a [Change<E>],
        made: K,
    ) -> Self {
        let mut movers: Vec<usize> = Vec::with_capacity(changes.len());
        let mut mover = changes.len();
        for (index, change) in changes.iter().enumerate().rev() {
            mover = if change.moves { index } else { mover };
            movers.push(mover);
        }
        movers.reverse();
        Self { old, level, changes, movers, made, floor: 0, open: starting(0), out: Vec::new() }
    }

    pub(super) fn run(mut self) -> Result<Vec<Change<E>>, EditError<S>> {
        let mut next = 0;
        while let Some(start) = self.reach(next)? {
            self.open = starting(start);
            (self.floor, next) = self.region(start, next)?;
        }
        Ok(self.out)
    }

    fn region(&mut self, start: u64, next: usize) -> Result<(u64, usize), EditError<S>> {
        let mut stream = Stream::new(self.level, self.changes, next, start);
        let mut window = VecDeque::new();
        loop {
            if window.is_empty()
                && let Some((at, next)) = stream.standing(self.old)?
                && self.reach(next)?.is_none_or(|reach| reach > at)
            {
                self.close(at);
                return Ok((at, next));
            }
            self.fill(&mut stream, &mut window, 1)?;
            let n = match self.look(window.front())? {
                Next::Jump(at, next) => {
                    self.close(at);
                    return Ok((at, next));
                }
                Next::End => {
                    let end = self.old.count();
                    self.close(end);
                    return Ok((end, self.changes.len()));
                }
                Next::Keep(n) => {
                    self.fill(&mut stream, &mut window, n)?;
                    n
                }
                Next::Cut => {
                    self.open.moves = true;
                    self.fill(&mut stream, &mut window, MAX_ENTRIES + 1)?;
                    cut_after(window.iter().map(|pulled| pulled.weight))
                }
            };
            self.node(&mut window, n)?;
        }
    }

    fn fill(
        &mut self,
        stream: &mut Stream<'_, E>,
        window: &mut VecDeque<Pulled<E>>,
        n: usize,
    ) -> Result<(), EditError<S>> {
        while window.len() < n {
            let Some(pulled) = stream.pull(self.old)? else { break };
            window.push_back(pulled);
        }
        Ok(())
    }

    fn look(&mut self, front: Option<&Pulled<E>>) -> Result<Next, EditError<S>> {
        let Some(front) = front else { return Ok(Next::End) };
        let Some(opens) = &front.opens else { return Ok(Next::Cut) };
        let start = opens.place.start;
        let beyond = |reach: Option<u64>| reach.is_none_or(|reach| reach > start);
        if beyond(self.reach(front.change)?) {
            return Ok(Next::Jump(start, front.change));
        }
        let moved = self.mover_reach(front.change)?;
        Ok(if beyond(moved) { Next::Keep(opens.entries) } else { Next::Cut })
    }

    /// Returns the start of the first node that this or a later change touches in any way.
    fn reach(&mut self, change: usize) -> Result<Option<u64>, EditError<S>> {
        let Some(first) = self.changes.get(change) else { return Ok(None) };
        let own = self.old.place(self.level, first.start)?.start;
        Ok(Some(self.mover_reach(change)?.map_or(own, |reach| reach.min(own))))
    }

    /// Returns the start of the first node whose cut this or a later change may move.
    fn mover_reach(&mut self, change: usize) -> Result<Option<u64>, EditError<S>> {
        let mover = self.movers.get(change).and_then(|index| self.changes.get(*index));
        let Some(mover) = mover else { return Ok(None) };
        Ok(Some(self.old.first_affected(self.level, mover.start, self.floor)?))
    }

    /// Makes a node of the first `n` items; one that was there before is not handed out.
    fn node(&mut self, window: &mut VecDeque<Pulled<E>>, n: usize) -> Result<(), EditError<S>> {
        let items = window.iter().take(n).map(|pulled| &pulled.item);
        let (node, entry) = BuiltNode::of(self.level, items)?;
        let opens = window.front().and_then(|pulled| pulled.opens.as_ref());
        if let Some(opens) = opens.filter(|opens| opens.place.id == node.id) {
            let (start, end) = (opens.place.start, opens.place.end);
            self.close(start);
            self.open = starting(end);
        } else {
            self.open.items.push(Item::Inner(entry));
            (self.made)(node)?;
        }
        window.drain(..n.min(window.len()));
        Ok(())
    }

    /// Ends the open change at leaf number `end`.
    fn close(&mut self, end: u64) {
        let mut change = std::mem::replace(&mut self.open, starting(end));
        change.end = end;
        if change.start < end || !change.items.is_empty() {
            // In a recipe a new id is a new weight; with no items, whole nodes are gone.
            change.moves |= E::KIND == Kind::Recipe || change.items.is_empty();
            self.out.push(change);
        }
    }
}

fn starting<E>(at: u64) -> Change<E> {
    Change { start: at, end: at, items: Vec::new(), moves: false }
}
