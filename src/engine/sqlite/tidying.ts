/** How many rows of each kind one `tidy` removes: few enough that no other operation notices. */
export const tidyLimit = 200;
