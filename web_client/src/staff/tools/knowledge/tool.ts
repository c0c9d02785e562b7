import type { CallTool } from '../registry'
import KnowledgeTool from './KnowledgeTool.vue'

export default { key: 'knowledge', position: 50, component: KnowledgeTool } satisfies CallTool
