import type { StaffArea } from './registry'

export default {
  page: 'statistics',
  position: 45,
  roles: ['supervisor', 'qa_lead'],
  routes: [{ path: '/statistics', component: () => import('../views/StatisticsView.vue') }],
} satisfies StaffArea
