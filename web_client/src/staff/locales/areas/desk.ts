/** Texts of what a teller has beside the calls. */
export default {
  'zh-CN': {
    tool: { history: '来访记录' },
    desk: {
      day: '今日：接听 {answered} · 平均 {aht} · 占用 {occupancy} · 满意 {satisfaction}',
      help: '请主管协助',
      asked: '已通知主管，请稍候。',
      taken: '{name} 正在赶来处理。',
      read: '知道了',
      noHistory: '这次到访没有更早的来电',
      noHistoryHint: '同一到访中断后再来的，会显示之前办过什么。',
      tickets: '{n} 件工单',
    },
  },
  en: {
    tool: { history: 'History' },
    desk: {
      day: 'Today: {answered} answered · avg. {aht} · occupied {occupancy} · satisfied {satisfaction}',
      help: 'Ask a supervisor',
      asked: 'Supervisors have been told.',
      taken: '{name} is on it.',
      read: 'Got it',
      noHistory: 'No earlier calls of this visit',
      noHistoryHint: 'When a visit was cut off and continues, what was done before is shown here.',
      tickets: '{n} tickets',
    },
  },
}
