/** Of the files of a client's folder that decide what is installed there. */
export function fingerprint(folder: string): string

/** Where it is said how the last attempt to install it ended. */
export function noteOf(folder: string): string
