import type { StaffArea } from './registry'

export default {
  page: 'routing',
  position: 73,
  roles: ['admin'],
  routes: [
    { path: '/routing', component: () => import('../views/RoutingView.vue'), props: { kind: 'queues' } },
    { path: '/routing/groups', component: () => import('../views/RoutingView.vue'), props: { kind: 'groups' } },
    { path: '/routing/calendars', component: () => import('../views/RoutingView.vue'), props: { kind: 'calendars' } },
  ],
} satisfies StaffArea
