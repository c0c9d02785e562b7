import type { StaffArea } from './registry'

export default {
  page: 'bookings',
  position: 28,
  roles: ['supervisor', 'teller'],
  routes: [{ path: '/bookings', component: () => import('../views/BookingsView.vue') }],
} satisfies StaffArea
