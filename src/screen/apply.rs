//! Apply: edits spliced into the original bytes, the result inspected again, the head made fit for where it goes.

use super::headers::{Class, STALE_AFTER_EDIT, class};
use super::inspect::{self, Inspected, Reading, inspect, text_of};
use super::message::{Line, Message};
use super::{Cleared, Edits};
use crate::deidentify::{self, CannotRestore, Context, New, Reader};
use crate::detect::{self, Finding, Ground};
use crate::model::decision::RecordPlan;
use crate::model::{Action, Category, Decision, Form, SubjectRef, Technique};
use crate::payload::{Edit, Part, Span};
use bytes::Bytes;
use http::{HeaderValue, header};
use std::collections::{BTreeMap, BTreeSet};

/// What applying needs besides the message and its decision.
pub struct Workshop<'a> {
    pub reading: &'a Reading,
    /// Whose promises: part of every token's associated data.
    pub tenant: &'a str,
    pub api: &'a crate::model::ApiId,
    pub keys: &'a deidentify::Keys,
    /// The subject of each record of [`Inspected::records`]; a reversible token needs one.
    pub subjects: &'a [Option<SubjectRef>],
    /// Who would read tokens of ours restored; none where nothing is restored.
    pub reader: Option<Reader<'a>>,
    /// The data goes where it lives: credentials go with it.
    pub goes_home: bool,
}

/// Why a decided message was not cleared after all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The decision refuses.
    Decided,
    /// An edit cannot be made: no key here, or the place cannot be edited.
    CannotEdit,
    /// The second inspection found something the first did not, or missed something outside the edits.
    SecondInspection,
}

/// One edit with what it stands for.
struct Planned {
    part: Part,
    edit: Edit,
    technique: Technique,
    category: Category,
}

/// The message as it may leave, or why not.
pub fn apply(message: Message, inspected: &Inspected, decision: Decision, workshop: &Workshop<'_>) -> Result<Cleared, Denied> {
    if decision.action == Action::Refuse {
        return Err(Denied::Decided);
    }
    let (planned, edits) = plan(&message, inspected, &decision, workshop)?;
    let mut edited = message;
    if !planned.is_empty() {
        let original = edited.clone();
        edited = splice(edited, inspected, &planned).ok_or(Denied::CannotEdit)?;
        inspect_again(&original, inspected, &edited, &planned, workshop)?;
        for name in STALE_AFTER_EDIT {
            edited.headers.remove(*name);
        }
    } else if !decision.stays
        && let Some(decoded) = &inspected.decoded
    {
        edited.body = decoded.clone(); // what crosses goes as identity coding
        for name in STALE_AFTER_EDIT.iter().filter(|n| **n != "etag" && **n != "last-modified") {
            edited.headers.remove(*name);
        }
    }
    fit_head(&mut edited, decision.stays || cfg!(feature = "unscreened"), workshop);
    let edited_fields = planned.iter().map(|p| (p.category, p.technique)).collect();
    Ok(Cleared { message: edited, decision, edits, edited_fields })
}

/// The edits of the decision's plan, and the restoring of our own tokens.
fn plan(message: &Message, inspected: &Inspected, decision: &Decision, workshop: &Workshop<'_>) -> Result<(Vec<Planned>, Edits), Denied> {
    let mut planned: Vec<Planned> = Vec::new();
    let mut edits = Edits::default();
    for (index, record) in inspected.records.iter().enumerate() {
        let findings = record.findings.iter().filter_map(|i| inspected.findings.get(*i));
        let subject = workshop.subjects.get(index).and_then(Option::as_ref);
        match decision.plan.get(&index) {
            Some(RecordPlan::Remove) => {
                edits.records += 1;
                match &record.whole {
                    Some(whole) => {
                        let edit = Edit { span: whole.span.clone(), slot: whole.slot.clone(), kind: whole.kind, new: None };
                        planned.push(Planned { part: Part::Body, edit, technique: Technique::Drop, category: Category::MessageContent });
                        for finding in findings.filter(|f| f.part != Part::Body) {
                            planned.push(edit_of(message, inspected, finding, Technique::Drop, subject, workshop)?);
                        }
                    }
                    None => {
                        for finding in findings {
                            planned.push(edit_of(message, inspected, finding, Technique::Drop, subject, workshop)?);
                        }
                    }
                }
            }
            Some(RecordPlan::Fields { techniques }) => {
                for finding in findings {
                    if let Some(technique) = techniques.get(&finding.category) {
                        planned.push(edit_of(message, inspected, finding, *technique, subject, workshop)?);
                        edits.fields += 1;
                    }
                }
            }
            None => {
                for finding in findings.filter(|f| f.form == Form::Pseudonymised && f.detector == detect::TOKEN_DETECTOR) {
                    if let Some(restored) = restored(message, inspected, finding, subject, workshop)? {
                        planned.push(restored);
                        edits.restored += 1;
                    }
                }
            }
        }
    }
    Ok((without_overlaps(planned), edits))
}

/// The strictest edit wins where several touch one place: the widest, then the one that leaves least.
fn without_overlaps(mut planned: Vec<Planned>) -> Vec<Planned> {
    let leaves = |technique: Technique| match technique {
        Technique::Drop => 0,
        Technique::Token | Technique::Pseudonym => 1,
        Technique::Mask => 2,
        Technique::Generalise => 3,
        Technique::Restore => 4,
    };
    planned.sort_by(|a, b| {
        let wide = |p: &Planned| (p.part.clone(), p.edit.span.start, usize::MAX - p.edit.span.end, leaves(p.technique));
        wide(a).cmp(&wide(b))
    });
    let mut kept: Vec<Planned> = Vec::with_capacity(planned.len());
    for candidate in planned {
        let inside = kept.last().is_some_and(|last| last.part == candidate.part && candidate.edit.span.start < last.edit.span.end.max(last.edit.slot.end));
        let same = kept.last().is_some_and(|last| last.part == candidate.part && last.edit.span == candidate.edit.span);
        if !inside && !same {
            kept.push(candidate);
        }
    }
    kept
}

fn edit_of(
    message: &Message,
    inspected: &Inspected,
    finding: &Finding,
    technique: Technique,
    subject: Option<&SubjectRef>,
    workshop: &Workshop<'_>,
) -> Result<Planned, Denied> {
    let source = inspect::source(&finding.part, message, inspected.decoded.as_ref()).ok_or(Denied::CannotEdit)?;
    let format = inspect::format_of(&finding.part, inspected).ok_or(Denied::CannotEdit)?;
    let text = format.text(source, &finding.span, finding.kind);
    let context = Context { tenant: workshop.tenant, api: workshop.api, subject, keys: workshop.keys };
    let new = match deidentify::edit(technique, finding.category, &text, &context).map_err(|_| Denied::CannotEdit)? {
        New::Text(text) | New::Number(text) => Some(text), // the format quotes what is no number
        New::Removed => None,
    };
    let edit = Edit { span: finding.span.clone(), slot: finding.slot.clone(), kind: finding.kind, new };
    Ok(Planned { part: finding.part.clone(), edit, technique, category: finding.category })
}

/// A token of ours as the value it stands for, if the reader may have it. What is not theirs stays a token;
/// a value that is theirs and cannot be restored, because the key is not here, is not answered with less.
fn restored(
    message: &Message,
    inspected: &Inspected,
    finding: &Finding,
    subject: Option<&SubjectRef>,
    workshop: &Workshop<'_>,
) -> Result<Option<Planned>, Denied> {
    let Some(reader) = &workshop.reader else { return Ok(None) };
    let text = text_of(finding, message, inspected);
    let context = Context { tenant: workshop.tenant, api: workshop.api, subject: subject.or(reader.subject), keys: workshop.keys };
    match deidentify::restore(&text, &context, reader) {
        Ok(value) => {
            let edit = Edit { span: finding.span.clone(), slot: finding.slot.clone(), kind: finding.kind, new: Some(value) };
            Ok(Some(Planned { part: finding.part.clone(), edit, technique: Technique::Restore, category: finding.category }))
        }
        Err(CannotRestore::NoKey) if reader.subject.is_some() && reader.subject == subject => Err(Denied::CannotEdit),
        Err(_) => Ok(None),
    }
}

/// The message with the edits made, part by part.
fn splice(mut message: Message, inspected: &Inspected, planned: &[Planned]) -> Option<Message> {
    let mut by_part: BTreeMap<&Part, Vec<Edit>> = BTreeMap::new();
    for plan in planned {
        by_part.entry(&plan.part).or_default().push(plan.edit.clone());
    }
    // From the last value of a header to the first, so that removing one does not renumber the others.
    for (part, edits) in by_part.into_iter().rev() {
        let source = inspect::source(part, &message, inspected.decoded.as_ref())?.to_vec();
        let format = inspect::format_of(part, inspected)?;
        let spliced = format.splice(&source, &edits);
        match part {
            Part::Body => message.body = Bytes::from(spliced),
            Part::Cookie => {
                message.headers.insert(header::COOKIE, HeaderValue::from_bytes(&spliced).ok()?);
            }
            Part::Header(name, index) => set_header(&mut message, name, *index, &spliced)?,
            Part::Path | Part::Query => {
                let text = String::from_utf8(spliced).ok()?;
                let Line::Request { path, query, .. } = &mut message.line else { return None };
                if *part == Part::Path {
                    *path = text;
                } else {
                    *query = (!text.is_empty()).then_some(text);
                }
            }
        }
    }
    Some(message)
}

fn set_header(message: &mut Message, name: &str, index: usize, value: &[u8]) -> Option<()> {
    let name: http::HeaderName = name.parse().ok()?;
    let mut values: Vec<HeaderValue> = message.headers.get_all(&name).iter().cloned().collect();
    *values.get_mut(index)? = HeaderValue::from_bytes(value).ok()?;
    message.headers.remove(&name);
    for value in values.into_iter().filter(|v| !v.is_empty()) {
        message.headers.append(&name, value);
    }
    Some(())
}

/// Outside the edits the second inspection must find what the first found, inside them only what the transform declares.
/// Key evidence counts for nothing inside an edit: `phone: "***"` is still under `phone`.
fn inspect_again(original: &Message, first: &Inspected, edited: &Message, planned: &[Planned], workshop: &Workshop<'_>) -> Result<(), Denied> {
    let mut plain = edited.clone();
    plain.headers.remove(header::CONTENT_ENCODING);
    let second = inspect(&plain, workshop.reading);
    if !second.opaque.is_subset(&first.opaque) {
        return Err(Denied::SecondInspection);
    }
    let touched = Touched::by(planned);
    let mut outside: BTreeMap<(Category, String), usize> = BTreeMap::new();
    for finding in first.findings.iter().filter(|f| !touched.holds(&f.part, &f.span)) {
        *outside.entry((finding.category, text_of(finding, original, first))).or_default() += 1;
    }
    let mut written = Written::by(planned);
    for finding in &second.findings {
        let text = text_of(finding, &plain, &second);
        if let Some(count) = outside.get_mut(&(finding.category, text.clone()))
            && *count > 0
        {
            *count -= 1;
            continue;
        }
        if !written.declares(finding, &text) {
            return Err(Denied::SecondInspection);
        }
    }
    if outside.values().all(|left| *left == 0) { Ok(()) } else { Err(Denied::SecondInspection) }
}

/// Which bytes of the original the edits change.
struct Touched<'p>(BTreeMap<&'p Part, Vec<Changed>>);

/// One edit, and how far it or any edit that starts before it reaches.
struct Changed {
    span: Span,
    reach: usize,
}

impl<'p> Touched<'p> {
    fn by(planned: &'p [Planned]) -> Self {
        let mut parts: BTreeMap<&Part, Vec<Changed>> = BTreeMap::new();
        for Planned { part, edit, .. } in planned {
            let (span, slot) = (&edit.span, &edit.slot);
            let span = if edit.new.is_some() { span.clone() } else { slot.start.min(span.start)..slot.end.max(span.end) };
            parts.entry(part).or_default().push(Changed { span, reach: 0 });
        }
        for changes in parts.values_mut() {
            changes.sort_by_key(|c| c.span.start);
            let mut reach = 0;
            for change in changes {
                reach = reach.max(change.span.end);
                change.reach = reach;
            }
        }
        Touched(parts)
    }

    fn holds(&self, part: &Part, span: &Span) -> bool {
        let Some(changes) = self.0.get(part) else { return false };
        let before = changes.partition_point(|c| c.span.start < span.end);
        let overlaps = before.checked_sub(1).and_then(|last| changes.get(last)).is_some_and(|c| span.start < c.reach);
        // An empty value overlaps nothing, not even itself.
        overlaps || changes.get(before..).unwrap_or_default().iter().take_while(|c| c.span.start == span.start).any(|c| c.span == *span)
    }
}

/// Most bytes that are compared to find the edit a second finding lies in, where it is not the whole of one: some milliseconds. A body that
/// needs more is none that anybody sends, and is refused.
const COMPARED_BYTES_MAX: usize = 16 << 20;

/// What the edits wrote, with what it was written for.
struct Written<'p> {
    by_text: BTreeMap<&'p str, BTreeSet<(Technique, Category)>>,
    compared: usize,
}

impl<'p> Written<'p> {
    fn by(planned: &'p [Planned]) -> Self {
        let mut by_text: BTreeMap<&str, BTreeSet<(Technique, Category)>> = BTreeMap::new();
        for plan in planned {
            if let Some(new) = &plan.edit.new {
                by_text.entry(new).or_default().insert((plan.technique, plan.category));
            }
        }
        Written { by_text, compared: 0 }
    }

    /// Whether an edit wrote this text, or text around or in it, and its transform says that this may be found there.
    fn declares(&mut self, finding: &Finding, text: &str) -> bool {
        let may =
            |(technique, category): &(Technique, Category)| finding.ground == Ground::Key || deidentify::declares(*technique, *category, finding.category);
        if self.by_text.get(text).is_some_and(|edits| edits.iter().any(may)) {
            return true;
        }
        for (new, edits) in &self.by_text {
            self.compared += new.len() + text.len();
            if self.compared > COMPARED_BYTES_MAX {
                return false;
            }
            if (new.contains(text) || text.contains(new)) && edits.iter().any(may) {
                return true;
            }
        }
        false
    }
}

/// Takes out what must not cross: credentials unless they go home or the API passes them, the profile of the device, names of hops and traces.
fn fit_head(message: &mut Message, stays: bool, workshop: &Workshop<'_>) {
    if stays {
        return;
    }
    let names: Vec<_> = message.headers.keys().cloned().collect();
    for name in names {
        let keep = match class(&name) {
            Class::Credential => workshop.goes_home || workshop.reading.pass_credentials.contains(&name),
            Class::DeviceProfile => workshop.goes_home || workshop.reading.pass_headers.contains(&name),
            Class::Hop => false,
            Class::Mechanics | Class::Inspected => true,
        };
        if !keep {
            message.headers.remove(&name);
        }
    }
}
