//! XML as a small tree with the place of every element. Document types and entities are refused, depth and size bounded.

use quick_xml::Reader;
use quick_xml::errors::{Error as XmlError, IllFormedError};
use quick_xml::events::{BytesStart, Event};

use super::source::{Source, tidy};
use super::{ImportError, Reason};

/// The deepest nesting; declarations need about ten.
const MAX_DEPTH: usize = 32;
/// The most elements: far more than 999 goods lines need.
const MAX_ELEMENTS: usize = 500_000;
/// The most attributes of one element: each is compared with all before it.
const MAX_ATTRIBUTES: usize = 64;

/// An element without its namespace.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Local name.
    pub(super) name: String,
    /// Where it begins, in bytes.
    pub(super) start: usize,
    /// Where it ends, in bytes.
    pub(super) end: usize,
    /// Attributes by local name.
    attributes: Vec<(String, String)>,
    /// Its own text, tidied.
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The first child of that name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of that name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first descendant along a path of names: `["GoodsShipment", "Destination"]`.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// The text of the element at a path, if there is any.
    pub(super) fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path).and_then(Self::text)
    }

    /// Its own text, if there is any.
    pub(super) fn text(&self) -> Option<&str> {
        Some(self.text.as_str()).filter(|text| !text.is_empty())
    }

    /// An attribute by its local name, if it is not empty.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

/// The root element of a document.
pub(super) fn parse(source: &Source<'_>) -> Result<Element, ImportError> {
    let mut reader = Reader::from_str(source.text);
    let config = reader.config_mut();
    config.check_comments = true;
    config.expand_empty_elements = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut count = 0;
    loop {
        let start = offset(reader.buffer_position());
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => return Err(syntax(source, &error, start, offset(reader.error_position()))),
        };
        match event {
            Event::Start(tag) => {
                count += 1;
                if open.len() >= MAX_DEPTH {
                    return Err(source.error(start, Reason::TooDeep(MAX_DEPTH)));
                }
                if count > MAX_ELEMENTS {
                    return Err(source.error(start, Reason::TooMany { what: "elements", limit: MAX_ELEMENTS }));
                }
                if open.is_empty() && root.is_some() {
                    return Err(source.error(start, Reason::Xml("a second root element".into())));
                }
                open.push(element(source, &tag, start)?);
            }
            Event::End(_) => {
                // The reader has checked that the names match, so one is open.
                let Some(mut element) = open.pop() else { continue };
                element.text = tidy(&element.text);
                element.end = offset(reader.buffer_position());
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => root = Some(element),
                }
            }
            Event::Text(text) => add_text(source, open.last_mut(), &text, start)?,
            Event::CData(text) => add_text(source, open.last_mut(), &text, start)?,
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref() {
                    Ok(Some(character)) => Some(character),
                    Ok(None) => predefined(&reference),
                    Err(error) => return Err(source.error(start, Reason::Xml(error.to_string()))),
                };
                let Some(character) = character else { return Err(source.error(start, Reason::Doctype)) };
                add_text(source, open.last_mut(), character.encode_utf8(&mut [0; 4]), start)?;
            }
            Event::DocType(_) => return Err(source.error(start, Reason::Doctype)),
            Event::Eof => break,
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    match (open.pop(), root) {
        (Some(unclosed), _) => {
            Err(source.error(unclosed.start, Reason::Xml(format!("element {:?} is not closed", unclosed.name))))
        }
        (None, Some(root)) => Ok(root),
        (None, None) => Err(source.error(0, Reason::Xml("no element".into()))),
    }
}

fn element(source: &Source<'_>, tag: &BytesStart<'_>, start: usize) -> Result<Element, ImportError> {
    let mut attributes = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| source.error(start, Reason::Xml(error.to_string())))?;
        if attributes.len() >= MAX_ATTRIBUTES {
            return Err(source.error(start, Reason::TooMany { what: "attributes", limit: MAX_ATTRIBUTES }));
        }
        attributes.push((attribute.key.local_name().as_ref().to_owned(), tidy(&attribute.value)));
    }
    Ok(Element { name: tag.local_name().as_ref().to_owned(), start, attributes, ..Element::default() })
}

fn add_text(source: &Source<'_>, open: Option<&mut Element>, text: &str, start: usize) -> Result<(), ImportError> {
    match open {
        Some(element) => element.text.push_str(text),
        None if text.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n']).is_empty() => {}
        None => return Err(source.error(start, Reason::Xml("text outside the root element".into()))),
    }
    Ok(())
}

fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

/// A fault with its place. A comment that swallows the next one is told by both its beginning and the place that gives it away.
fn syntax(source: &Source<'_>, error: &XmlError, start: usize, place: usize) -> ImportError {
    if matches!(error, XmlError::IllFormed(IllFormedError::DoubleHyphenInComment)) {
        let begin = source.position(start);
        let inside = source.text.get(start + 4..).and_then(|rest| rest.find("--")).map_or(place, |at| start + 4 + at);
        return source.error(inside, Reason::UnclosedComment { line: begin.line, column: begin.column });
    }
    source.error(place, Reason::Xml(error.to_string()))
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::source::Text;
    use super::*;

    #[track_caller]
    fn refused(text: &str, line: u64, column: u64, reason: &str) {
        let text = Text { text: text.into(), is_windows_1252: false };
        let error = parse(&Source::new("f", &text)).expect_err("a fault");
        assert_eq!((error.position.line, error.position.column), (line, column), "{error}");
        assert!(error.reason.to_string().contains(reason), "{error}");
    }

    #[test]
    fn a_tree_without_namespaces() {
        let text = Text {
            text: "<a xmlns='x'><p:b p:unitCode='KGM'> 1 <![CDATA[<]]>&amp;&#50; </p:b><c/></a>".into(),
            is_windows_1252: false,
        };
        let root = parse(&Source::new("f", &text)).expect("well-formed");
        assert_eq!(root.text_at(&["b"]), Some("1 <&2"));
        assert_eq!(root.child("b").and_then(|b| b.attribute("unitCode")), Some("KGM"));
        assert!(root.child("c").is_some_and(|c| c.text().is_none()));
    }

    #[test]
    fn faults_are_told_with_their_place() {
        refused("<a>\n <!-- one\n <!-- two -->\n</a>", 3, 4, "line 2, column 2");
        refused("<a>\n <!-- never", 2, 2, "comment not closed");
        refused("<a>\n <b></a>", 2, 5, "expected `</b>`");
        refused("<a><b/>", 1, 1, "not closed");
        refused("<a/><b/>", 1, 5, "second root");
        refused("<a/>x", 1, 5, "outside the root");
        refused("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", 1, 1, "document types");
        refused("<a>&x;</a>", 1, 4, "document types");
        refused(&"<a>".repeat(40), 1, 97, "nested deeper");
        refused("  ", 1, 1, "no element");
        let attributes: String = (0..65).map(|number| format!(" a{number}=''")).collect();
        refused(&format!("<a{attributes}/>"), 1, 1, "more than 64 attributes");
    }
}
