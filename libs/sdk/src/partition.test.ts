import { expect, test } from '@jest/globals'
import { partitionTold } from './partition.ts'

// Minted by the issuer's own code under a key that was thrown away.
test.each([
  [0, 'cs_at_02Nf8NkA52ajUL1dklmhrGtA9VVqBY7wBxP4glSWWM2fmLRDN29Dk2C'],
  [1, 'cs_at_08ovOCGA1fLXfp3q5Tlwf95ZmXbXGChsbn7ES8nAnTCekS15q20ous0'],
  [17, 'cs_pat_1Kd8p5K5D5dHDdBx5z4xC3kG9vuw0i9Isqk1to6jInJBNduas3A7glK'],
  [63, 'cs_at_4nAmHtD6up2LJX97cbMd6AsPjrky0rrUvN68RQ6s800c3eEld45dI6h'],
  [255, 'cs_rt_JIyi3flA2A4HTS6FOm7u26igrj8h2TMcGrPGvTGvfl0dqvQaz0D6gQT'],
])('a token of partition %i says so', (partition, token) => {
  expect(partitionTold(token)).toBe(partition)
})

test.each([
  '',
  'cs_at_02Nf8NkA52ajUL1dklmhrGtA9VVqBY7wBxP4glSWWM2fmLRDN29Dk2',
  'cs_at_02Nf8NkA52ajUL1dklmhrGtA9VVqBY7wBxP4glSWWM2fmLRDN29Dk2CC',
  'CS_AT_02Nf8NkA52ajUL1dklmhrGtA9VVqBY7wBxP4glSWWM2fmLRDN29Dk2C',
  'cs_at_02Nf8NkA52ajUL1dklmhrGtA9VVqBY7wBxP4glSWWM2fmLRDN29Dk-C',
  `cs_at_${'z'.repeat(55)}`,
  'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl',
])('no other text says a partition: %s', (text) => {
  expect(partitionTold(text)).toBeUndefined()
})
