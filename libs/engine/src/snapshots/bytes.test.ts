import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter, type Plain } from './bytes.ts'

const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\ud800', 'a\udfffb', '', '__proto__', 'ÿ', 'Ā'),
)
const plain = fc.letrec<{ value: Plain }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.double(),
    fc.maxSafeInteger(),
    anyText,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(anyText, tie('value'), { maxKeys: 5 }),
  ),
})).value

const through = (write: (to: ByteWriter) => void): ByteReader => {
  const writer = new ByteWriter()
  write(writer)
  return new ByteReader(writer.take())
}

describe('bytes', () => {
  it('give back every plain value as it was', () => {
    fc.assert(
      fc.property(fc.array(plain), (values) => {
        const reader = through((to) => {
          for (const value of values) to.value(value)
        })
        for (const value of values) expect(reader.value()).toEqual(value)
        expect(reader.isAtEnd).toBe(true)
      }),
    )
  })

  it('give back whole numbers and 32-bit words of any size', () => {
    const signed = fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 })
    fc.assert(
      fc.property(
        fc.maxSafeInteger().map(Math.abs),
        signed,
        fc.nat({ max: 2 ** 32 - 1 }),
        fc.double(),
        (whole, int, word, any) => {
          const reader = through((to) => {
            to.uint(whole)
            to.int(int)
            to.word(word)
            to.number(any)
          })
          expect([reader.uint(), reader.int(), reader.word(), reader.number()]).toEqual([whole, int, word, any])
        },
      ),
    )
  })

  it('tell a name once in what is taken together', () => {
    const writer = new ByteWriter()
    const lengths = ['principalId', 'other', 'principalId'].map((name) => {
      const before = writer.length
      writer.name(name)
      return writer.length - before
    })
    expect(lengths).toEqual([13, 7, 1])
    const first = new ByteReader(writer.take())
    expect([first.name(), first.name(), first.name()]).toEqual(['principalId', 'other', 'principalId'])
    writer.name('principalId')
    expect(writer.length).toBe(13)
  })

  it('grow with what is written', () => {
    const long = 'x'.repeat(200_000)
    const reader = through((to) => {
      to.text(long)
      to.text(`${long}€`)
    })
    expect([reader.text(), reader.text()]).toEqual([long, `${long}€`])
  })

  it('that end too early are refused', () => {
    const writer = new ByteWriter()
    writer.value({ name: 'a text', list: [1, 2.5] })
    const whole = writer.take()
    for (let length = 0; length < whole.length; length++)
      expect(() => new ByteReader(whole.subarray(0, length)).value(), `${length} bytes`).toThrow(RangeError)
  })
})
