import type { StaffArea } from './registry'

export default {
  page: 'myquality',
  position: 20,
  roles: ['teller'],
  routes: [
    { path: '/myquality', component: () => import('../views/inspection/MyEvaluationsView.vue') },
    { path: '/myquality/rectifications', component: () => import('../views/inspection/RectificationsView.vue'), props: { area: 'myquality' } },
    { path: '/myquality/coaching', component: () => import('../views/inspection/CoachingView.vue'), props: { area: 'myquality' } },
    { path: '/myquality/cases', component: () => import('../views/inspection/CasesView.vue'), props: { area: 'myquality' } },
    { path: '/myquality/:evaluationId(eval_\\w+)', component: () => import('../views/inspection/MyEvaluationView.vue'), props: true },
  ],
} satisfies StaffArea
