import type { StaffArea } from './registry'

export default {
  page: 'audit',
  position: 61,
  roles: ['auditor'],
  routes: [{ path: '/audit', component: () => import('../views/AuditView.vue') }],
} satisfies StaffArea
