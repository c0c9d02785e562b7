import type { Off } from '@shared/emitter'
import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { CustomerHistory, HelpTaken, OwnFigures, TellerNotice } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

/** What a teller has beside the calls: words of supervisors, help, the own day, the customer's earlier calls. */
export const useDesk = defineStore('desk', () => {
  const notices = ref<TellerNotice[]>([])
  const figures = ref<OwnFigures | null>(null)
  const help = ref<'idle' | 'asked' | 'taken'>('idle')
  const helper = ref('')
  const history = ref<CustomerHistory | null>(null)
  const failure = ref<Failure | null>(null)
  let offs: Off[] = []

  function start(): void {
    stop()
    const { socket } = useServer()
    offs = [
      socket.on('teller.notice', (notice) => (notices.value = [notice, ...notices.value].slice(0, 3))),
      socket.on('help.taken', onTaken),
    ]
    void loadFigures()
  }

  function stop(): void {
    for (const off of offs) off()
    offs = []
  }

  function onTaken(taken: HelpTaken): void {
    help.value = 'taken'
    helper.value = taken.by_name
  }

  async function attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action()
      failure.value = null
    } catch (error) {
      failure.value = failureOf(error)
    }
  }

  const loadFigures = () =>
    attempt(async () => {
      figures.value = await useServer().http.get<OwnFigures>('/api/own-figures')
    })
  const ask = (call_id: string | null) =>
    attempt(async () => {
      await useServer().http.post('/api/help-requests', { call_id, message: '' })
      help.value = 'asked'
    })
  const loadHistory = (call_id: string) =>
    attempt(async () => {
      history.value = null
      history.value = await useServer().http.get<CustomerHistory>(`/api/calls/${call_id}/customer-history`)
    })

  function read(notice: TellerNotice): void {
    notices.value = notices.value.filter((each) => each !== notice)
  }

  return { notices, figures, help, helper, history, failure, start, stop, loadFigures, ask, loadHistory, read }
})
