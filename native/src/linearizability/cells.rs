//! Registers and key-value maps: a state is the number of a value.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use super::Model;

/// The value of an absent cell.
pub const NULL: u32 = 0;
pub const FALSE: u32 = 1;
pub const TRUE: u32 = 2;
/// The answer of an operation that may have any.
pub const ANY: u32 = u32::MAX;

/// What an operation does to a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Read,
    Write {
        value: u32,
    },
    Cas {
        old: u32,
        new: u32,
    },
    Append {
        value: u32,
    },
    /// Nothing that a cell can do.
    Impossible,
}

/// One form: a deed, its answer, and whether it may as well have had no effect.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    pub deed: Deed,
    pub answer: u32,
    pub optional: bool,
}

/// What all cells of a history have in common.
pub struct Table {
    pub forms: Vec<Form>,
    /// What an absent cell reads as.
    pub absent_reads: u32,
    /// The text of each value that is a string; needed only where something is appended.
    pub texts: Vec<Option<String>>,
    numbers: HashMap<String, u32>,
}

impl Table {
    pub fn new(forms: Vec<Form>, absent_reads: u32, texts: Vec<Option<String>>) -> Self {
        let numbered = texts.iter().enumerate();
        let numbers = numbered.filter_map(|(number, text)| Some((text.clone()?, number as u32))).collect();
        Table { forms, absent_reads, texts, numbers }
    }
}

/// One cell. Strings that appending makes are numbered as they come up.
pub struct Cells {
    table: Arc<Table>,
    made: Vec<String>,
    made_numbers: HashMap<String, u32>,
    appended: HashMap<(u32, u32), u32>,
}

impl Cells {
    pub fn new(table: Arc<Table>) -> Self {
        Cells { table, made: Vec::new(), made_numbers: HashMap::new(), appended: HashMap::new() }
    }

    /// The state and the answer; None where the deed is impossible.
    #[inline]
    fn act(&mut self, state: u32, deed: Deed) -> Option<(u32, u32)> {
        let held = if state == NULL { self.table.absent_reads } else { state };
        match deed {
            Deed::Read => Some((state, held)),
            Deed::Write { value } => Some((value, NULL)),
            Deed::Cas { old, new } if held == old => Some((new, TRUE)),
            Deed::Cas { .. } => Some((state, FALSE)),
            Deed::Append { value } => Some((self.append(held, value)?, NULL)),
            Deed::Impossible => None,
        }
    }

    fn append(&mut self, held: u32, value: u32) -> Option<u32> {
        if let Some(&known) = self.appended.get(&(held, value)) {
            return Some(known);
        }
        let begun = if held == NULL { "" } else { self.text(held)? };
        let text = [begun, self.text(value)?].concat();
        let number = self.number(text);
        self.appended.insert((held, value), number);
        Some(number)
    }

    fn text(&self, number: u32) -> Option<&str> {
        match self.table.texts.get(number as usize) {
            Some(text) => text.as_deref(),
            None => self.made.get(number as usize - self.table.texts.len()).map(String::as_str),
        }
    }

    fn number(&mut self, text: String) -> u32 {
        if let Some(&number) = self.table.numbers.get(&text).or_else(|| self.made_numbers.get(&text)) {
            return number;
        }
        let number = (self.table.texts.len() + self.made.len()) as u32;
        self.made.push(text.clone());
        self.made_numbers.insert(text, number);
        number
    }
}

impl Model for Cells {
    type Fault = Infallible;

    #[inline]
    fn step(&mut self, state: u32, form: u32, after: &mut Vec<u32>) -> Result<(), Infallible> {
        let Form { deed, answer, optional } = self.table.forms[form as usize];
        if optional {
            after.push(state);
        }
        if let Some((next, answered)) = self.act(state, deed) {
            if (answer == ANY || answer == answered) && !(optional && next == state) {
                after.push(next);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(deed: Deed, answer: u32, optional: bool, state: u32) -> Vec<u32> {
        let texts = vec![None, None, None, Some("a".into()), Some("ab".into()), Some("b".into())];
        let forms = vec![Form { deed, answer, optional }];
        let mut cells = Cells::new(Arc::new(Table::new(forms, NULL, texts)));
        let mut found = Vec::new();
        let Ok(()) = cells.step(state, 0, &mut found);
        found
    }

    #[test]
    fn a_cell_answers_what_it_holds() {
        assert_eq!(after(Deed::Read, 3, false, 3), [3]);
        assert!(after(Deed::Read, 3, false, 4).is_empty());
        assert_eq!(after(Deed::Write { value: 4 }, NULL, false, 3), [4]);
        assert_eq!(after(Deed::Cas { old: 3, new: 4 }, TRUE, false, 3), [4]);
        assert_eq!(after(Deed::Cas { old: 3, new: 4 }, FALSE, false, 5), [5]);
        assert_eq!(after(Deed::Cas { old: 3, new: 4 }, ANY, false, 5), [5]);
    }

    #[test]
    fn an_append_finds_the_number_of_the_text_or_makes_one() {
        assert_eq!(after(Deed::Append { value: 5 }, NULL, false, 3), [4]);
        assert_eq!(after(Deed::Append { value: 3 }, NULL, false, NULL), [3]);
        assert_eq!(after(Deed::Append { value: 5 }, NULL, false, 4), [6]);
        assert!(after(Deed::Append { value: 5 }, NULL, false, TRUE).is_empty());
    }

    #[test]
    fn an_optional_deed_may_leave_the_state_as_it_is() {
        assert_eq!(after(Deed::Write { value: 4 }, ANY, true, 3), [3, 4]);
        assert_eq!(after(Deed::Write { value: 3 }, ANY, true, 3), [3]);
    }
}
