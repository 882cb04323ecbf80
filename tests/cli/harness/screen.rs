/// Columns of a terminal that does not say how many it has.
const WIDTH: usize = 80;

/// Returns what stands on a terminal's screen after all this was written to it, line by line.
///
/// Knows what `haul` sends: returns, line feeds, cursor up and down, clearing a line, colours.
pub(crate) fn screen(written: &str) -> Vec<String> {
    let mut screen = Screen::default();
    let mut rest = written.chars();
    while let Some(char) = rest.next() {
        match char {
            '\r' => screen.column = 0,
            '\n' => screen.row += 1,
            '\u{1b}' => {
                assert_eq!(rest.next(), Some('['), "an escape that this screen does not know");
                let mut number = String::new();
                let letter = loop {
                    match rest.next().expect("the escape ends") {
                        c @ ('0'..='9' | ';') => number.push(c),
                        letter => break letter,
                    }
                };
                screen.escape(letter, &number);
            }
            char => screen.put(char),
        }
    }
    let lines = screen.lines.iter().map(|line| line.iter().collect::<String>());
    lines.map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[derive(Default)]
struct Screen {
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
}

impl Screen {
    fn line(&mut self) -> &mut Vec<char> {
        let row = self.row;
        if self.lines.len() <= row {
            self.lines.resize(row + 1, Vec::new());
        }
        self.lines.get_mut(row).expect("was made")
    }

    fn put(&mut self, char: char) {
        if self.column == WIDTH {
            (self.row, self.column) = (self.row + 1, 0);
        }
        let column = self.column;
        let line = self.line();
        if line.len() <= column {
            line.resize(column + 1, ' ');
        }
        *line.get_mut(column).expect("was made") = char;
        self.column += 1;
    }

    fn escape(&mut self, letter: char, number: &str) {
        let lines = number.parse().unwrap_or(1);
        match letter {
            'A' => self.row = self.row.saturating_sub(lines),
            'B' => self.row += lines,
            'K' => self.line().clear(),
            'm' => {}
            letter => panic!("an escape that this screen does not know: {number}{letter}"),
        }
    }
}
