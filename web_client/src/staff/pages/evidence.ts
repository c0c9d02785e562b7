import type { StaffArea } from './registry'

export default {
  page: 'evidence',
  position: 60,
  roles: ['auditor', 'qa_lead'],
  routes: [{ path: '/evidence', component: () => import('../views/EvidenceView.vue') }],
} satisfies StaffArea
