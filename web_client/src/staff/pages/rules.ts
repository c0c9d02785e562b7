import type { StaffArea } from './registry'

export default {
  page: 'rules',
  position: 72,
  roles: ['qa_lead', 'admin'],
  routes: [{ path: '/rules', component: () => import('../views/RulesView.vue') }],
} satisfies StaffArea
