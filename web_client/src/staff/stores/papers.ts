import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { PaperRow } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

export interface OpenPaper { path: string; title: string; file: Blob | null; failure: Failure | null }

/** Papers of a call, and the one that is open on the page: a picture or a PDF, never a new tab. */
export const usePapers = defineStore('papers', () => {
  const rows = ref<Record<string, PaperRow[]>>({})
  const failure = ref<Failure | null>(null)
  const open = shallowRef<OpenPaper | null>(null)

  async function load(callId: string): Promise<void> {
    failure.value = null
    try {
      rows.value[callId] = await useServer().http.get<PaperRow[]>(`/api/calls/${callId}/papers`)
    } catch (error) {
      failure.value = failureOf(error)
    }
  }

  async function show(path: string, title: string): Promise<void> {
    const paper: OpenPaper = { path, title, file: null, failure: null }
    open.value = paper
    const told: Partial<OpenPaper> = await useServer()
      .http.blob(path)
      .then((file) => ({ file }), (error: unknown) => ({ failure: failureOf(error) }))
    if (open.value === paper) open.value = { ...paper, ...told }
  }

  function close(): void {
    open.value = null
  }

  return { rows, failure, open, load, show, close }
})
