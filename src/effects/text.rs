//! Bytes that arrive in pieces, as text: whole characters and whole lines.

/// Turns pieces of bytes into text without cutting characters apart. What is not UTF-8 is replaced.
#[derive(Default)]
pub struct Decoder {
    /// The beginning of a character whose end has not arrived: at most three bytes.
    pending: Vec<u8>,
}

impl Decoder {
    /// Hands on the text that is complete now.
    pub fn push(&mut self, piece: &[u8], take: &mut dyn FnMut(&str)) {
        self.pending.extend_from_slice(piece);
        let end = complete_length(&self.pending);
        if end > 0 {
            let text: Vec<u8> = self.pending.drain(..end).collect();
            take(&String::from_utf8_lossy(&text));
        }
    }

    /// Hands on what is left when nothing more comes.
    pub fn finish(&mut self, take: &mut dyn FnMut(&str)) {
        if !self.pending.is_empty() {
            take(&String::from_utf8_lossy(&std::mem::take(&mut self.pending)));
        }
    }
}

/// The length of `bytes` without an unfinished character at its end.
fn complete_length(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let start = bytes.len() - back;
        let needed = match bytes.get(start) {
            Some(0xc0..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            Some(0xf0..=0xf7) => 4,
            Some(0x80..=0xbf) => continue,
            Some(_) | None => 1,
        };
        return if needed > back { start } else { bytes.len() };
    }
    bytes.len()
}

/// Turns pieces of bytes into lines without their ends.
pub struct Lines {
    pending: Vec<u8>,
    longest: usize,
}

impl Lines {
    /// A line longer than `longest` bytes is handed on in parts.
    pub fn new(longest: usize) -> Self {
        Self { pending: Vec::new(), longest: longest.max(1) }
    }

    /// How much of a line has arrived whose end has not.
    pub fn pending_bytes(&self) -> usize {
        self.pending.len()
    }

    /// Hands on the lines that are complete now.
    pub fn push(&mut self, piece: &[u8], take: &mut dyn FnMut(&str)) {
        let mut parts = piece.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            self.pending.extend_from_slice(part);
            while self.pending.len() > self.longest {
                let end = match complete_length(self.pending.get(..self.longest).unwrap_or_default()) {
                    0 => self.longest,
                    end => end,
                };
                let line: Vec<u8> = self.pending.drain(..end).collect();
                take(&String::from_utf8_lossy(&line));
            }
            if parts.peek().is_some() {
                let line = std::mem::take(&mut self.pending);
                take(String::from_utf8_lossy(&line).trim_end_matches('\r'));
            }
        }
    }

    /// Hands on a last line that has no end.
    pub fn finish(&mut self, take: &mut dyn FnMut(&str)) {
        if !self.pending.is_empty() {
            let line = std::mem::take(&mut self.pending);
            take(String::from_utf8_lossy(&line).trim_end_matches('\r'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_are_cut_anywhere_arrive_whole() {
        let text = "aé€😀z";
        for cut in 0..=text.len() {
            let (mut decoder, mut out) = (Decoder::default(), Vec::new());
            decoder.push(&text.as_bytes()[..cut], &mut |piece| out.push(piece.to_owned()));
            decoder.push(&text.as_bytes()[cut..], &mut |piece| out.push(piece.to_owned()));
            decoder.finish(&mut |piece| out.push(piece.to_owned()));
            assert_eq!(out.concat(), text, "cut at {cut}");
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_replaced_and_do_not_stall() {
        let (mut decoder, mut out) = (Decoder::default(), String::new());
        decoder.push(b"a\xffb\xe2\x82", &mut |piece| out.push_str(piece));
        assert_eq!(out, "a\u{fffd}b");
        decoder.finish(&mut |piece| out.push_str(piece));
        assert_eq!(out, "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn lines_are_put_together_across_pieces_and_long_ones_cut() {
        let (mut lines, mut out) = (Lines::new(4), Vec::new());
        for piece in ["on", "e\r\n\ntw", "o\nlonger"] {
            lines.push(piece.as_bytes(), &mut |line| out.push(line.to_owned()));
        }
        lines.finish(&mut |line| out.push(line.to_owned()));
        assert_eq!(out, ["one", "", "two", "long", "er"]);
    }
}
