import type { CallTool } from '../registry'
import HistoryTool from './HistoryTool.vue'

export default { key: 'history', position: 55, component: HistoryTool } satisfies CallTool
