//! A figure as PDF, with its words as text. They are set in the font that stands here, so that every machine makes the same
//! file; what it lacks, in the machine's own fonts.

use std::cell::OnceCell;
use std::sync::Arc;

use svg2pdf::usvg::fontdb::Database;
use svg2pdf::usvg::{Group, Node, Options, Tree};
use svg2pdf::{ConversionOptions, PageOptions};

use crate::error::{Error, Result};

/// DejaVu Sans; `fonts/README.md` says what of it.
const FONT: &[u8] = include_bytes!("../fonts/dejavu_sans.ttf");

/// Its name.
const FAMILY: &str = "DejaVu Sans";

/// Pixels of an inch.
const DPI: f32 = 96.0;

/// Makes PDFs of figures.
#[derive(Default)]
pub(crate) struct Converter {
    own: OnceCell<Options<'static>>,
    /// The same with the fonts of the machine, which are looked up only where they are needed.
    system: OnceCell<Options<'static>>,
}

impl Converter {
    /// The figure `svg` as PDF; `name` is what it is called.
    ///
    /// # Errors
    /// If it is no SVG, or if no font has one of its characters.
    pub(crate) fn pdf(&self, svg: &str, name: &str) -> Result<Vec<u8>> {
        let failed = |problem: String| Error::Drawing(format!("{name} as PDF: {problem}"));
        let read = |options| Tree::from_str(svg, options).map_err(|e| failed(e.to_string()));
        let mut tree = read(self.own.get_or_init(|| options(Database::default())))?;
        if lacking(tree.root()).is_some() {
            tree = read(self.system.get_or_init(with_system_fonts))?;
        }
        if let Some(text) = lacking(tree.root()) {
            return Err(failed(format!(
                "no font has {text:?} ({}); install one that has it, or write figures as svg only",
                text.escape_unicode()
            )));
        }
        let page = PageOptions { dpi: DPI };
        svg2pdf::to_pdf(&tree, ConversionOptions::default(), page)
            .map_err(|e| failed(e.to_string()))
    }
}

fn with_system_fonts() -> Options<'static> {
    let mut fonts = Database::new();
    fonts.load_system_fonts();
    options(fonts)
}

/// What figures are read with: words are in the font of this crate, and what it lacks is looked for in `fonts`.
fn options(mut fonts: Database) -> Options<'static> {
    fonts.load_font_data(FONT.to_vec());
    fonts.set_sans_serif_family(FAMILY);
    Options {
        font_family: FAMILY.into(),
        fontdb: Arc::new(fonts),
        ..Options::default()
    }
}

/// The first characters in `group` that no font has.
fn lacking(group: &Group) -> Option<String> {
    group.children().iter().find_map(|node| match node {
        Node::Group(inside) => lacking(inside),
        Node::Text(text) => {
            let spans = text.layouted().iter();
            let mut glyphs = spans.flat_map(|span| &span.positioned_glyphs);
            let missing = glyphs.find(|glyph| glyph.id.0 == 0);
            missing.map(|glyph| glyph.text.clone())
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(words: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"96\" height=\"48\" font-family=\"sans-serif\">\
             <text x=\"9\" y=\"9\" dy=\"0.35em\">{words}</text></svg>"
        )
    }

    #[test]
    fn words_are_there_and_an_inch_is_an_inch() {
        let pdf = Converter::default()
            .pdf(&figure("×−²▲ Žluť λ"), "f")
            .unwrap();
        let text = String::from_utf8_lossy(&pdf);
        assert!(text.contains("DejaVuSans"), "{text:.900}");
        assert!(text.contains("/MediaBox [0 0 72 36]"), "{text:.900}");
        assert_eq!(
            pdf,
            Converter::default()
                .pdf(&figure("×−²▲ Žluť λ"), "f")
                .unwrap()
        );
    }

    #[test]
    fn a_character_that_no_font_has_is_an_error() {
        // Of a private area, which no font of a system fills so far.
        let error = Converter::default()
            .pdf(&figure("a\u{10fff0}"), "figures/x")
            .unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("figures/x as PDF: no font has"),
            "{message}"
        );
        assert!(
            message.contains("\\u{10fff0}") && message.contains("install"),
            "{message}"
        );
        assert!(Converter::default().pdf("<svg", "f").is_err());
    }
}
