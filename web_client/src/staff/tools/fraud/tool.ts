import { useFraud } from '../../stores/fraud'
import type { CallTool } from '../registry'
import FraudTool from './FraudTool.vue'

export default { key: 'fraud', position: 40, component: FraudTool, waiting: () => useFraud().undecided.length } satisfies CallTool
