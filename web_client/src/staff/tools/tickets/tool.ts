import type { CallTool } from '../registry'
import TicketTool from './TicketTool.vue'

export default { key: 'tickets', position: 60, component: TicketTool } satisfies CallTool
