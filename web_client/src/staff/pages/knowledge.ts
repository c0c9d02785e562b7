import type { StaffArea } from './registry'

export default {
  page: 'knowledge',
  position: 60,
  roles: ['teller', 'expert', 'supervisor', 'inspector', 'qa_lead'],
  routes: [{ path: '/knowledge', component: () => import('../views/KnowledgeView.vue') }],
} satisfies StaffArea
