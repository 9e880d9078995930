// The selection as CSV (RFC 4180).
const columns = ['index', 'name', 'given_label', 'predicted_label', 'boundary_distance', 'adversarial_label', 'coherence',
  'score', 'flagged', 'restored_label', 'label_confidence'];

/** Quoted where CSV needs it. A name that a spreadsheet would run as a formula gets an apostrophe before it. */
function field(value) {
  let text = String(value ?? '');
  if (typeof value === 'string' && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csv(samples, name) {
  const head = [...columns, 'given_name', 'restored_name', 'review', 'review_label'];
  const rows = samples.map((sample) => [...columns.map((column) => sample[column]), name(sample.given_label),
    name(sample.restored_label), sample.review?.decision, sample.review?.label]);
  const text = [head, ...rows].map((row) => row.map(field).join(',')).join('\r\n');
  return new Blob([`${text}\r\n`], { type: 'text/csv' });
}
