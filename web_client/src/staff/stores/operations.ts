import { defineStore } from 'pinia'
import { computed } from 'vue'
import type { BackupsView, ProcessView } from '../../gen/protocol'
import { polled, useAttempt } from '../lib/polled'
import { useServer } from '../lib/server'

export type BackupKind = 'backup' | 'drill'

/** The installation: who runs where, and what became of backups. */
export const useOperations = defineStore('operations', () => {
  const processes = polled(() => useServer().http.get<ProcessView[]>('/api/processes'), 2000)
  const backups = polled(() => useServer().http.get<BackupsView>('/api/backups'), 5000)
  const { busy, failure, attempt } = useAttempt()

  const nodes = computed(() => (processes.data.value ?? []).filter((each) => each.kind === 'media'))
  /** With no other node that takes calls, those who come now are carried by this one all the same. */
  const isLast = (name: string): boolean => !nodes.value.some((each) => each.name !== name && !each.draining)
  const releases = computed(() => [...new Set((processes.data.value ?? []).map((each) => each.release).filter(Boolean))])
  const isRunning = computed(() => (backups.data.value?.runs ?? []).some((run) => run.state === 'waiting' || run.state === 'running'))

  const drain = (name: string, on: boolean): Promise<boolean> =>
    attempt(`drain:${name}`, async () => {
      await useServer().http.post(`/api/nodes/${encodeURIComponent(name)}/drain`, { on })
      await processes.load()
    })

  const ask = (kind: BackupKind): Promise<boolean> =>
    attempt(kind, async () => {
      await useServer().http.post('/api/backups', { kind })
      await backups.load()
    })

  function start(): void {
    processes.start()
    backups.start()
  }

  function stop(): void {
    processes.stop()
    backups.stop()
  }

  return {
    processes: processes.data, processesFailure: processes.failure, loadProcesses: processes.load,
    backups: backups.data, backupsFailure: backups.failure, loadBackups: backups.load,
    nodes, isLast, releases, isRunning, busy, failure, drain, ask, start, stop,
  }
})
