import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MESSAGES } from '.'

function flat(tree: object, prefix = ''): Map<string, string> {
  const texts = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') texts.set(prefix + key, value)
    else for (const [inner, text] of flat(value as object, `${prefix}${key}.`)) texts.set(inner, text)
  }
  return texts
}

const chinese = flat(MESSAGES['zh-CN'])
const english = flat(MESSAGES.en)
const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((hit) => hit[1] ?? '').sort()

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(vue|ts)$/.test(name) && !name.endsWith('.test.ts') && !name.startsWith('locales'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
}

describe('texts', () => {
  it('have the same keys in both languages', () => {
    expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort())
  })

  it('are nowhere empty', () => {
    expect([...chinese, ...english].filter(([, text]) => text.trim() === '')).toEqual([])
  })

  it('take the same values in both languages', () => {
    for (const [key, text] of chinese) expect([key, placeholders(english.get(key) ?? '')]).toEqual([key, placeholders(text)])
  })

  it('are all there for the keys the page names', () => {
    const named = sources('src/customer').flatMap((source) =>
      [...source.matchAll(/(?<![\w.])t\('([\w.]+)'/g)].map((hit) => hit[1] ?? ''),
    )
    expect(named.length).toBeGreaterThan(50)
    expect(named.filter((key) => !chinese.has(key))).toEqual([])
  })

  it('do not stand in the components', () => {
    const written = sources('src/customer').flatMap((source) => source.match(/[\u4e00-\u9fff]+/g) ?? [])
    expect(written).toEqual([])
  })
})
