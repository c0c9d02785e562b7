import type { StaffArea } from './registry'

export default {
  page: 'tickets',
  position: 50,
  roles: ['supervisor', 'inspector', 'qa_lead'],
  routes: [
    { path: '/tickets', component: () => import('../views/TicketsView.vue') },
    { path: '/tickets/:ticketId', component: () => import('../views/TicketsView.vue'), props: true },
  ],
} satisfies StaffArea
