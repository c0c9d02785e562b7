import type { AreaTexts } from '@shared/i18n'

/** What auditors see: evidence packages, viewings, the audit log. */
export default {
  'zh-CN': {
    app: { nav: { evidence: '证据', audit: '审计日志' } },
    evidence: {
      title: '证据包与调阅', calls: '通话', number: '通话编号', teller: '柜员姓名或工号', first: '从', last: '到', search: '查询', none: '没有符合条件的通话',
      call: '第 {n} 号通话', purpose: '用途，至少 4 个字（记入审计）', look: '调阅录像', ask: '制作证据包', close: '结束调阅', viewing: '第 {n} 号通话 · 调阅至 {until}',
      mine: '我的证据包', noneMine: '还没有制作过证据包', until: '保留至 {at}', fetch: '下载',
      state: { waiting: '排队中', running: '制作中', ready: '已完成', failed: '没有做成', expired: '已过期' },
    },
    audit: {
      title: '审计日志', who: '谁', what: '做了什么', object_id: '对象', words: '内容', export: '导出 CSV（记入审计）', none: '没有符合条件的记录', more: '更早的记录',
      hint: { who: '姓名、工号或 system:', what: '如 录像，或 recording.', object_id: '编号，或通话编号 call_…', words: '明细里的文字' },
      detail: { before: '之前', after: '之后', purpose: '用途', reason: '理由', call_id: '通话', watermark: '水印' },
    },
    error: {
      evidence: {
        own_call: '岗位分离：不能导出自己经办的通话。', not_ready: '录像还在处理，请稍后再试。', not_found: '没有这个证据包。', expired: '证据包已过期删除，请重新制作。',
        object_gone: '有文件在存储中找不到', recording_changed: '录像与入库时不一致',
      },
      viewing: { not_found: '调阅已结束，请重新说明用途。' },
    },
  },
  en: {
    app: { nav: { evidence: 'Evidence', audit: 'Audit log' } },
    evidence: {
      title: 'Evidence and viewing', calls: 'Calls', number: 'Call number', teller: 'Teller’s name or number', first: 'From', last: 'To', search: 'Search', none: 'No such calls',
      call: 'Call {n}', purpose: 'Purpose, at least 4 characters (audited)', look: 'View recording', ask: 'Make package', close: 'End viewing', viewing: 'Call {n} · until {until}',
      mine: 'My packages', noneMine: 'No packages yet', until: 'kept until {at}', fetch: 'Download',
      state: { waiting: 'waiting', running: 'being made', ready: 'ready', failed: 'failed', expired: 'expired' },
    },
    audit: {
      title: 'Audit log', who: 'Who', what: 'Did what', object_id: 'Object', words: 'Detail', export: 'Export CSV (audited)', none: 'No such entries', more: 'Older entries',
      hint: { who: 'name, number or system:', what: 'e.g. signed, or recording.', object_id: 'its id, or call_…', words: 'words of the detail' },
      detail: { before: 'before', after: 'after', purpose: 'purpose', reason: 'reason', call_id: 'call', watermark: 'watermark' },
    },
    error: {
      evidence: {
        own_call: 'Nobody proves own work.', not_ready: 'The recording is still being made; try again later.', not_found: 'There is no such package.', expired: 'The package was removed after its time; make a new one.',
        object_gone: 'A file is missing in the store', recording_changed: 'A recording is not as it was stored',
      },
      viewing: { not_found: 'This viewing is over; say again why you look.' },
    },
  },
} satisfies AreaTexts
