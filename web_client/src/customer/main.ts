import { createApp } from 'vue'
import { HttpClient } from '@shared/http'
import { createPageI18n } from '@shared/i18n'
import { MediaSession } from '@shared/media/session'
import type { Language } from '@shared/protocol'
import { openSocket, SocketManager } from '@shared/socket'
import '@shared/styles/tokens.css'
import '@shared/styles/base.css'
import './styles/customer.css'
import { CustomerApi, type Channel } from './api'
import App from './App.vue'
import { DeviceCheck } from './check/deviceCheck'
import { CounterDesk } from './counter/desk'
import { DESK as COUNTER } from './counter/keys'
import { DESK, FLOW, I18N } from './keys'
import { MESSAGES } from './locales'
import { CallRoom, type CustomerSocket } from './visit/callRoom'
import { ServiceDesk } from './visit/desk'
import { VisitFlow } from './visit/flow'
import PrefillView from './views/PrefillView.vue'
import VerifyView from './views/VerifyView.vue'

const query = new URLSearchParams(location.search)
const i18n = createPageI18n(MESSAGES)
const http = new HttpClient({ headers: (): Record<string, string> => (flow.token ? { Authorization: `Bearer ${flow.token}` } : {}) })
const api = new CustomerApi(http)
const socket: CustomerSocket = new SocketManager(openSocket('/customer', () => ({ token: flow.token })))
const room = new CallRoom(socket, new MediaSession())
const desk = new ServiceDesk(http, socket)
const counter = new CounterDesk(socket, () => flow.token)
const devices = new DeviceCheck({ roundTrip: () => api.roundTrip() })
const channel: Channel = query.get('channel') === 'kiosk' ? 'kiosk' : 'web'
const flow: VisitFlow = new VisitFlow(api, room, devices, {
  language: () => i18n.global.locale.value as Language,
  channel,
  preselected: query.get('business'),
  appointment: query.get('appointment'),
  callback: query.get('callback'),
  entry: query.get('entry'),
})

room.events.on('call', ({ call_id, ended_at }) => void desk.chat.follow(ended_at === null ? call_id : null).catch(() => undefined))
socket.link.on('resumed', () => void desk.chat.load().catch(() => undefined))

const page = { '/verify': VerifyView, '/prefill': PrefillView }[location.pathname] ?? App
createApp(page).use(i18n).provide(FLOW, flow).provide(DESK, desk).provide(I18N, i18n).provide(COUNTER, counter).mount('#app')
if (page === App) void flow.start()
