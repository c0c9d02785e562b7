import { useCounter } from '../../stores/counter'
import type { CallTool } from '../registry'
import BusinessTool from './BusinessTool.vue'

export default { key: 'business', position: 10, component: BusinessTool, waiting: () => useCounter().mine } satisfies CallTool
