//! From the ids of many pools to those of one index.

use super::input::Pool;
use crate::index::packed::{MAX_ARGUMENT, Op};
use bstr::BString;
use indexmap::IndexSet;
use rayon::prelude::*;
use rustc_hash::{FxBuildHasher, FxHashMap};

/// From the ids of one pool to those of the index.
pub(super) struct Translation {
    pub(super) names: Vec<u32>,
    pub(super) versions: Vec<u32>,
    pub(super) strings: Vec<u32>,
    pub(super) variables: Vec<u32>,
}

/// Texts, one after the other, and where each ends.
#[derive(Default)]
pub(super) struct Texts {
    pub(super) ends: Vec<u32>,
    pub(super) text: Vec<u8>,
}

impl Texts {
    pub(super) fn push(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
        self.ends.push(self.text.len() as u32);
    }
}

/// Not mentioned by any package, or not yet translated.
const UNUSED: u32 = u32::MAX;
/// Mentioned, and not yet numbered.
const USED: u32 = u32::MAX - 1;

impl Translation {
    pub(super) fn new(pool: &Pool<'_>) -> Self {
        let [names, versions, strings, variables] = pool.counts().map(|count| vec![UNUSED; count]);
        Self { names, versions, strings, variables }
    }

    /// Marks the names and versions that a body mentions.
    pub(super) fn mark(&mut self, words: &[u32]) {
        for word in words {
            match Op::decode(*word) {
                Some(Op::Atom(name)) => self.names[name.place()] = USED,
                Some(Op::Version(_, version)) => self.versions[version.place()] = USED,
                _ => {}
            }
        }
    }

    /// The word with its argument translated.
    pub(super) fn word<'p>(
        &mut self,
        word: u32,
        pool: &'p Pool<'p>,
        strings: &mut Strings<'p>,
        variables: &mut Strings<'p>,
    ) -> u32 {
        let argument = match Op::decode(word) {
            Some(Op::Atom(name)) => self.names[name.place()],
            Some(Op::Version(_, version)) => self.versions[version.place()],
            Some(Op::String(id)) => self.string(id.0, pool, strings),
            Some(Op::Variable(id)) => {
                once(&mut self.variables[id.place()], || variables.id(pool.variable(id.0).as_bytes()))
            }
            // What is left is a number of words, or nothing.
            _ => word & MAX_ARGUMENT,
        };
        word & !MAX_ARGUMENT | argument
    }

    pub(super) fn string<'p>(&mut self, id: u32, pool: &'p Pool<'p>, strings: &mut Strings<'p>) -> u32 {
        once(&mut self.strings[id as usize], || strings.id(pool.string(id)))
    }
}

/// The translation in `slot`, made the first time.
fn once(slot: &mut u32, make: impl FnOnce() -> u32) -> u32 {
    if *slot == UNUSED {
        *slot = make();
    }
    *slot
}

/// The names or the versions of an index, in their order, and the number of each.
pub(super) struct Numbered<'p> {
    pub(super) sorted: Vec<&'p str>,
    pub(super) ids: FxHashMap<&'p str, u32>,
}

impl Numbered<'_> {
    pub(super) fn texts(&self) -> Texts {
        let mut texts = Texts::default();
        self.sorted.iter().for_each(|text| texts.push(text.as_bytes()));
        texts
    }
}

/// A kind of texts that are numbered in their order: the names, or the versions.
pub(super) struct Kind<'p> {
    /// Their translations.
    pub(super) table: fn(&mut Translation) -> &mut Vec<u32>,
    /// The text of one in a pool.
    pub(super) text: fn(&'p Pool<'p>, u32) -> &'p str,
    /// Their order.
    pub(super) compare: fn(&str, &str) -> std::cmp::Ordering,
}

/// Numbers the texts of a kind that are used in any pool, and the extra ones.
pub(super) fn number<'p>(
    Kind { table, text, compare }: Kind<'p>,
    pools: &'p [Pool<'p>],
    translations: &mut [Translation],
    extra: impl Iterator<Item = &'p str>,
) -> Numbered<'p> {
    let mut set: IndexSet<&'p str, FxBuildHasher> = IndexSet::default();
    for (pool, translation) in pools.iter().zip(translations.iter_mut()) {
        for (id, slot) in table(translation).iter_mut().enumerate() {
            if *slot == USED {
                *slot = set.insert_full(text(pool, id as u32)).0 as u32;
            }
        }
    }
    set.extend(extra);
    let mut order: Vec<u32> = (0..set.len() as u32).collect();
    order.par_sort_by(|a, b| compare(set[*a as usize], set[*b as usize]));
    let mut rank = vec![0; order.len()];
    for (place, id) in order.iter().enumerate() {
        rank[*id as usize] = place as u32;
    }
    for slot in translations.iter_mut().flat_map(table) {
        if *slot != UNUSED {
            *slot = rank[*slot as usize];
        }
    }
    let sorted: Vec<&'p str> = order.iter().map(|id| set[*id as usize]).collect();
    let ids = sorted.iter().enumerate().map(|(id, text)| (*text, id as u32)).collect();
    Numbered { sorted, ids }
}

/// Strings and variables, numbered as they come.
#[derive(Default)]
pub(super) struct Strings<'p> {
    pub(super) texts: Texts,
    known: FxHashMap<&'p [u8], u32>,
    owned: FxHashMap<BString, u32>,
}

impl<'p> Strings<'p> {
    pub(super) fn id(&mut self, text: &'p [u8]) -> u32 {
        *self.known.entry(text).or_insert_with(|| {
            self.texts.push(text);
            (self.texts.ends.len() - 1) as u32
        })
    }

    /// For the few texts that no pool holds; their strings are not shared with the others.
    pub(super) fn owned_id(&mut self, text: String) -> u32 {
        *self.owned.entry(text.into()).or_insert_with_key(|text| {
            self.texts.push(text);
            (self.texts.ends.len() - 1) as u32
        })
    }
}
