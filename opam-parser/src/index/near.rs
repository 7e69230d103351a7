//! Names that somebody may have meant.

use super::ids::NameId;
use super::storage::Index;

impl Index {
    /// Existing names near to `text`, nearest first, at most `limit`: those that differ in case or
    /// separators, that contain it or begin it, or that are a few letters away.
    pub fn near_names(&self, text: &str, limit: usize) -> Vec<NameId> {
        let plain = |name: &str| name.to_ascii_lowercase().replace(['_', '+'], "-");
        let wanted = plain(text);
        let allowed = (wanted.len() / 4).clamp(1, 3);
        let mut near: Vec<(usize, usize, NameId)> = self
            .names()
            .filter(|name| self.versions_of(*name).len() > 0)
            .filter_map(|id| {
                let name = plain(self.name(id));
                let length = name.len().abs_diff(wanted.len());
                let distance = match length <= allowed {
                    true => strsim::damerau_levenshtein(&name, &wanted),
                    false => usize::MAX,
                };
                let related = wanted.len() >= 3 && (name.starts_with(&wanted) || name.ends_with(&format!("-{wanted}")));
                // `lwt_unix` is a library of `lwt`.
                let library =
                    name.len() >= 3 && wanted.strip_prefix(&name).is_some_and(|rest| rest.starts_with(['-', '.']));
                let score = if distance <= allowed {
                    distance
                } else if library {
                    1
                } else if related {
                    allowed + 1
                } else {
                    return None;
                };
                Some((score, length, id))
            })
            .collect();
        near.sort_unstable();
        if let Some((best, _, _)) = near.first().copied() {
            // Beside a very near name, far ones only confuse.
            near.retain(|(score, _, _)| *score <= best + 1);
        }
        near.truncate(limit);
        near.into_iter().map(|(_, _, id)| id).collect()
    }
}
