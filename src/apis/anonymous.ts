/** Who everybody is on a PLAINTEXT listener (M-65). */
export const anonymous = { type: 'User', name: 'ANONYMOUS' } as const
