import type { StaffArea } from './registry'

export default {
  page: 'retention',
  position: 96,
  roles: ['auditor', 'admin'],
  routes: [{ path: '/retention', component: () => import('../views/RetentionView.vue') }],
} satisfies StaffArea
