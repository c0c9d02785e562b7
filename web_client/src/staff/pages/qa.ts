import type { StaffArea } from './registry'

export default {
  page: 'qa',
  position: 40,
  roles: ['inspector', 'qa_lead'],
  routes: [
    { path: '/qa', component: () => import('../views/QaListView.vue') },
    { path: '/qa/:callId', component: () => import('../views/QaCallView.vue'), props: true },
  ],
} satisfies StaffArea
