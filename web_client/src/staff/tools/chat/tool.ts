import { useChat } from '../../stores/chat'
import type { CallTool } from '../registry'
import ChatTool from './ChatTool.vue'

export default { key: 'chat', position: 60, component: ChatTool, waiting: () => useChat().state.unread } satisfies CallTool
