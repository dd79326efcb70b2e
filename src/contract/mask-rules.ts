/** Where a mask leads beside the place that its pointer names. Not published. */

/** Whether a segment of a pointer is the index of an item. Without one, a mask leads into every item of a list. */
export function isIndex(segment: string): boolean {
  return /^(?:0|[1-9][0-9]{0,9})$/.test(segment);
}

/** Whether a string may be JSON with members, as a field of a form can be: a mask that leads into it hides all of it. */
export function holdsJson(text: string): boolean {
  return /^\s*[{[]/.test(text);
}
