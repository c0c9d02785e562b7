import type { StaffArea } from './registry'

export default {
  page: 'alarms',
  position: 80,
  roles: ['supervisor', 'admin'],
  routes: [{ path: '/alarms', component: () => import('../views/AlarmsView.vue') }],
} satisfies StaffArea
