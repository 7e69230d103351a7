//! Rules that comments and documents cite stand in `docs/semantics.md`, and each rule there names tests that exist.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A rule's id: a letter and a number.
type Id = (char, u32);

/// The letters that rules' ids begin with.
const LETTERS: &str = "CDEFGLNOPRSVZ";

/// Documents that are not in this repository, and so cannot be looked up. Each is in two parts, for this file is
/// searched, too.
const ELSEWHERE: [(&str, &str); 5] =
    [("semantics ", "sheet"), ("the ", "sheet"), ("peers", ".md"), ("opam-", "semantics"), ("service-", "protocol.md")];

/// A rule of the document.
#[derive(Debug)]
struct Rule {
    id: Id,
    heading: String,
    /// What stands between this anchor and the next.
    text: String,
}

fn id(word: &str) -> Option<Id> {
    let letter = word.chars().next().filter(|letter| LETTERS.contains(*letter))?;
    let number = &word[1..];
    let fits = (1..=2).contains(&number.len()) && number.bytes().all(|digit| digit.is_ascii_digit());
    Some((letter, number.parse().ok()?)).filter(|_| fits)
}

/// Words, numbers and single other characters.
fn tokens(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let end = if is_word(first) { rest.find(|c| !is_word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        found.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    found
}

/// The rules that a text cites as `rule O7`, `rules S10 and S11`, `rules F21 to F25`, and the ids in it that have no
/// such word before them.
fn citations(text: &str) -> (Vec<Id>, Vec<String>) {
    let tokens = tokens(text);
    let (mut cited, mut bare) = (Vec::new(), Vec::new());
    let mut place = 0;
    while place < tokens.len() {
        let word = tokens[place];
        place += 1;
        if !matches!(word, "rule" | "rules" | "Rule" | "Rules") {
            bare.extend(id(word).map(|_| word.to_owned()));
            continue;
        }
        let mut joined = "";
        while let Some(next) = tokens.get(place).and_then(|token| id(token)) {
            match cited.last() {
                Some((letter, first)) if joined == "to" && *letter == next.0 => {
                    cited.extend((*first + 1..=next.1).map(|number| (next.0, number)));
                }
                _ => cited.push(next),
            }
            joined = tokens.get(place + 1).copied().unwrap_or_default();
            place += if matches!(joined, "," | "and" | "to" | "or") { 2 } else { 1 };
            if !matches!(joined, "," | "and" | "to" | "or") {
                break;
            }
        }
    }
    (cited, bare)
}

/// The comments of a Rust file, those of successive lines together, each with the number of its first line.
fn comments(source: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (number, line) in source.lines().enumerate() {
        let start = if line.trim_start().starts_with("//") { line.find("//") } else { line.find(" // ") };
        let Some(start) = start else {
            goes_on = false;
            continue;
        };
        let text = line[start..].trim_start_matches([' ', '/', '!']);
        let alone = line[..start].trim().is_empty();
        match found.last_mut() {
            Some((_, comment)) if goes_on && alone => {
                comment.push(' ');
                comment.push_str(text);
            }
            _ => found.push((number + 1, text.to_owned())),
        }
        goes_on = alone;
    }
    found
}

/// The rules of the document, by their anchors.
fn rules(document: &str) -> Vec<Rule> {
    let parts = document.split("<a id=\"").skip(1);
    let rule = |part: &str| {
        let (anchor, rest) = part.split_once("\"></a>\n").unwrap_or((part, ""));
        let id = id(&anchor.to_uppercase())?;
        let (heading, text) = rest.split_once('\n').unwrap_or((rest, ""));
        Some(Rule { id, heading: heading.trim_start_matches('#').trim().to_owned(), text: text.to_owned() })
    };
    parts.filter_map(rule).collect()
}

/// The tests that a rule names: `path: function`.
fn named_tests(rule: &Rule) -> Vec<(&str, &str)> {
    let Some((_, tests)) = rule.text.split_once("Test:") else { return Vec::new() };
    // The paragraph's spans of code.
    let paragraph = tests.split("\n\n").next().unwrap_or_default();
    paragraph.split('`').skip(1).step_by(2).filter_map(|span| span.split_once(": ")).collect()
}

/// What is wrong with the rules, given how a file of the tree is read.
fn wrong_rules(rules: &[Rule], read: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut seen: BTreeMap<Id, usize> = BTreeMap::new();
    for rule in rules {
        let name = format!("{}{}", rule.id.0, rule.id.1);
        *seen.entry(rule.id).or_default() += 1;
        if seen[&rule.id] > 1 {
            wrong.push(format!("{name} is there twice"));
        }
        if !rule.heading.starts_with(&format!("{name}. ")) {
            wrong.push(format!("the heading of {name} is `{}`", rule.heading));
        }
        if !rule.text.contains("Known from:") {
            wrong.push(format!("{name} does not say how it is known"));
        }
        let tests = named_tests(rule);
        if tests.is_empty() {
            wrong.push(format!("{name} names no test"));
        }
        for (file, function) in tests {
            if !read(file).is_some_and(|source| has_test(&source, function)) {
                wrong.push(format!("{name} names `{file}: {function}`, which is no test"));
            }
        }
    }
    wrong
}

/// Whether a source has a test of that name.
fn has_test(source: &str, function: &str) -> bool {
    source.split("#[test]").skip(1).any(|after| {
        let declared = after.split_once("fn ").map_or("", |(_, declared)| declared);
        declared.split('(').next() == Some(function)
    })
}

/// What is wrong with the citations of a file.
fn wrong_citations(path: &str, text: &str, rules: &[Rule]) -> Vec<String> {
    let mut wrong = Vec::new();
    let is_code = path.ends_with(".rs");
    let blocks = if is_code { comments(text) } else { vec![(1, text.to_owned())] };
    for (line, block) in blocks {
        let (cited, bare) = citations(&block);
        for (letter, number) in cited {
            if !rules.iter().any(|rule| rule.id == (letter, number)) {
                wrong.push(format!("{path}:{line}: there is no rule {letter}{number}"));
            }
        }
        if is_code {
            wrong.extend(bare.into_iter().map(|word| format!("{path}:{line}: `{word}` without the word `rule`")));
        }
    }
    for (first, second) in ELSEWHERE {
        let name = format!("{first}{second}");
        wrong.extend(text.contains(&name).then(|| format!("{path}: `{name}` is not in this repository")));
    }
    wrong
}

/// The sources and documents of the workspace.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![caravan_tests::workspace()];
    while let Some(directory) = waiting.pop() {
        for entry in fs_err::read_dir(directory).unwrap() {
            let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
            let name = name.to_string_lossy();
            if path.is_dir() && !name.starts_with('.') && !["target", "generated", "snapshots"].contains(&&*name) {
                waiting.push(path);
            } else if name.ends_with(".rs") || name.ends_with(".md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> Option<String> {
    fs_err::read_to_string(caravan_tests::workspace().join(path)).ok()
}

fn document() -> Vec<Rule> {
    rules(&read(Path::new("docs/semantics.md")).unwrap())
}

#[test]
fn every_citation_leads_to_a_rule() {
    let rules = document();
    let root = caravan_tests::workspace();
    let files = files();
    assert!(files.len() > 200, "{}", files.len());
    let wrong: Vec<String> = files
        .iter()
        .flat_map(|path| {
            let text = read(path).unwrap();
            wrong_citations(&path.strip_prefix(&root).unwrap().to_string_lossy(), &text, &rules)
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_names_a_test_that_exists() {
    let rules = document();
    assert!(rules.len() > 90, "{}", rules.len());
    let wrong = wrong_rules(&rules, &|file| read(Path::new(file)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What these tests are for is found in made-up texts.
#[test]
fn what_is_wrong_is_found() {
    let ids =
        |text: &str| citations(text).0.iter().map(|(letter, number)| format!("{letter}{number}")).collect::<Vec<_>>();
    assert_eq!(
        ids("as rule O7 says, by rules S10 and S11 (rules F21 to F23, S9)"),
        ["O7", "S10", "S11", "F21", "F22", "F23", "S9"]
    );
    assert!(ids("the rules of 2024, MD5, x86_64 and S3").is_empty());
    assert_eq!(citations("rule F2 (F3), MD5").1, ["F3"]);
    // Written with another sign, for this file is searched, too.
    let code =
        "#/ As rules F1\n#/ and F2 have it.\nfn f() {} # rule F9\n# F1\nlet url = \"https:#F3\";\n".replace('#', "//");
    let good = "<a id=\"f1\"></a>\n### F1. One\n\nKnown from: nobody. Test: `a.rs: one`\n";
    let known =
        rules(&format!("{good}<a id=\"f2\"></a>\n### F2. Two\n\nKnown from: us. Test:\n`a.rs: one`,\n`b.rs: two`\n"));
    assert_eq!(
        wrong_citations("c.rs", &code, &known),
        ["c.rs:3: there is no rule F9", "c.rs:4: `F1` without the word `rule`"]
    );
    let elsewhere = format!("// See {}{}.", ELSEWHERE[0].0, ELSEWHERE[0].1);
    assert_eq!(wrong_citations("c.rs", &elsewhere, &known).len(), 1);
    let tree = |file: &str| (file == "a.rs").then(|| "#[test]\n#[ignore]\nfn one() {}\nfn two() {}".to_owned());
    assert_eq!(wrong_rules(&known, &tree), ["F2 names `b.rs: two`, which is no test"]);
    let bad = rules(&format!("{good}{good}<a id=\"f3\"></a>\n### F4. Three\n\nTest: `a.rs: two`\n"));
    assert_eq!(
        wrong_rules(&bad, &tree),
        [
            "F1 is there twice",
            "the heading of F3 is `F4. Three`",
            "F3 does not say how it is known",
            "F3 names `a.rs: two`, which is no test",
        ]
    );
}
