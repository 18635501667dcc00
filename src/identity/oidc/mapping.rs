//! From a provider's groups to what we know: roles and tenants.

/// What every person is a member of.
const EVERYBODY: &str = "*";

/// Groups and what each leads to, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping<T>(pub Vec<(String, T)>);

impl<T> Mapping<T> {
    /// What the groups of somebody lead to, in the order of the mapping.
    pub fn of<'a>(&'a self, groups: &'a [String]) -> impl Iterator<Item = &'a T> {
        let is_member = |group: &String| group == EVERYBODY || groups.contains(group);
        self.0.iter().filter(move |(group, _)| is_member(group)).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_matched_whole_and_in_order() {
        let entry = |group: &str, value| (group.to_owned(), value);
        let mapping = Mapping(vec![entry("admins", 2), entry("staff", 1), entry("*", 0)]);
        let of = |groups: &[&str]| {
            let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
            mapping.of(&groups).copied().collect::<Vec<_>>()
        };
        assert_eq!(of(&["staff", "admins"]), [2, 1, 0]);
        assert_eq!(of(&["Admins", "staff-of-others"]), [0]);
        assert_eq!(of(&["*"]), [0]);
    }
}
