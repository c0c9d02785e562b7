import type { AreaTexts } from '@shared/i18n'

const bankZh = {
  unavailable: '核心系统没有回应，请再试', misuse: '核心系统不接受这笔请求', insufficient_funds: '余额不足', not_held: '预留金额不足', no_account: '没有这个账户',
  account_not_active: '账户不是正常状态', payee_name: '收款户名与账号不符', payee_not_active: '收款账户不是正常状态', same_account: '付款和收款是同一账户', bad_amount: '金额不对', bad_status: '账户状态不允许',
  not_empty: '账户里还有钱', already_spent: '收款方已用掉这笔钱，撤不回来', reversed_before: '已经撤销过', withdrawn: '请求已撤回', simulated_refusal: '核心系统拒绝（模拟）',
}
const bankEn: typeof bankZh = {
  unavailable: 'The core system did not answer; try again', misuse: 'The core system does not accept this request', insufficient_funds: 'Not enough money', not_held: 'Not enough set aside', no_account: 'No such account',
  account_not_active: 'The account is not active', payee_name: 'The payee’s name does not fit the account', payee_not_active: 'The payee’s account is not active', same_account: 'Payer and payee are the same', bad_amount: 'Wrong amount', bad_status: 'The account’s state does not allow it',
  not_empty: 'There is still money in the account', already_spent: 'The payee has spent it: it cannot be taken back', reversed_before: 'Reversed before', withdrawn: 'The request was withdrawn', simulated_refusal: 'Refused by the core system (simulated)',
}

export default {
  'zh-CN': {
    app: { nav: { reviews: '双人复核', fraud: '涉诈预警', postings: '待对账', notices: '消息通知' } },
    tool: { fraud: '防诈骗' },
    alarms: { kind: { fraud: { alert: '涉诈预警' }, review: { waiting: '复核无人处理' }, posting: { reconcile: '交易结果不明' }, notice: { failed: '消息没有送达' } } },
    error: {
      review: { own_work: '岗位分离：不能复核自己的业务。', level: '您的授权级别不够。', decided: '已经有人处理了。', stale: '业务已有变化，请看最新内容。', other_content: '内容与您看到的不一致，请重新打开。', reason_missing: '请写明理由，至少 10 个字。', not_found: '没有这个复核请求。' },
      fraud: { stale: '有了新的线索，请先看一下。', decided: '已经处理过了。', not_yours: '继续办理要由运营主管决定。', told_missing: '请写下告诉客户的原因。', delay_missing: '请填写暂缓多少小时。', known: '这条线索已经记下了。', not_found: '没有这条预警。' },
      posting: { own_work: '岗位分离：不能处理自己的交易。', stale: '这笔交易已有变化，请看最新内容。', not_open: '这笔交易不在待对账状态。', not_found: '没有这笔交易。' },
      notice: { not_failed: '这条消息没有失败。', refused: '对方拒收', address_refused: '地址或号码不存在', channel_off: '这个渠道没有开通', channel_down: '渠道故障', channel_slow: '渠道没有回应' },
      sign: { other_document: '屏幕上不是这份文件。' },
    },
    counter: {
      reason: {
        questions: { account: '正在查询账户', customer_stopped: '客户听了劝阻，决定不办' },
        bank: bankZh,
        sign: { preparing: '正在生成文件', sealing: '正在加盖电子印章', declined: '客户不签', failed: '文件没有生成' },
        review: { facts: '正在查询系统数据', pending: '等待复核', returned: '复核员退回', expired: '没有人复核，请再提交一次', refused: '复核没有通过' },
        posting: { running: '核心系统正在办理', reconcile: '结果不明，主管正在对账', fraud_undecided: '涉诈预警还没有处理，先不能记账', review_missing: '没有通过复核，不能记账', business_over: '业务已结束，交易已撤销', rolled_back: '交易已撤销' },
        fraud: { stop: '因涉诈风险停止', delay: '因涉诈风险暂缓', report: '因涉诈风险停止并报警' },
      },
    },
    questions: {
      ask: '第 {n} 问：', purpose: '用途', purpose_note: '客户的原话（可不填）', relation: '与收款人关系', source: '资金来源',
      sentence: { purpose: '这笔钱要做什么用？', relation: '收款人和您是什么关系？', source: '钱是哪里来的？' },
      value: {
        family: '家人', shopping: '购物', loan: '借贷', tuition: '学费', medical: '看病', investment: '投资理财', official: '公检法要求', other: '其他',
        self: '本人', friend: '朋友', colleague: '同事', merchant: '商家', online: '网友', stranger: '陌生人', salary: '工资', savings: '积蓄', sale: '变卖财物',
      },
      bank: '户主：{owner}；今天已转出 {total} 元', checkAccount: '核账户：户名、账号与客户说的一致', checkIdentity: '核身份：是本人办理，旁边没有人指使',
      save: '记下来，请客户看劝阻提示', saveAgain: '改好了，重新提交', askAgain: '再查一次账户', waits: '请口头劝阻；客户正在自己的屏幕上确认。',
    },
    reviews: {
      pictures: '客户和证件', live: '客户实时画面（您的声音和画面不会传过去）', connecting: '正在接通画面…',
      title: '双人复核', level: '您的授权级别：{n}', none: '没有等待复核的业务', noneText: '有新的请求会自动出现在这里。', choose: '从左边选一笔，核对后再决定',
      line: '第 {n} 号通话 · {teller} · 需 {level} 级 · {at}', needs: '需 {n} 级授权', waits: '已提交，等待复核，剩余', request: '重新提交复核',
      voucher: '凭证内容', bank: '系统数据', person: '身份', questions: '三问', account: '账户', owner: '户主', status: '账户状态', available: '可用余额', dayTotal: '今天已转出', unknownAccount: '核心系统里没有这个账户', noAccount: '这项业务没有指定账户',
      accountStatus: { active: '正常', frozen: '已冻结', closed: '已销户' }, identityLevel: '核实程度', class: '客户类别',
      levelName: { l0: '未核实', l1: '已读证件', l2: '已联网核查', l3: '人证已比对' },
      id: { name: '姓名', number: '身份证号', id_number: '身份证号', birth: '出生日期', valid_until: '有效期至', address: '住址' },
      alert: '涉诈线索：', extraCheck: '当日累计超过 5 万元或有风险：同意时请写明理由（至少 10 个字）。', reason: '理由（退回、不同意至少写 10 个字）', approve: '同意', return: '退回修改', refuse: '不同意', digest: '内容校验',
      state: { waiting: '等待中', approved: '已同意', refused: '不同意', returned: '已退回', expired: '已超时', withdrawn: '已撤回' },
      why: { flow: '业务要求复核', day_total: '当日累计超过业务上限', transfer: '转账', amount_50000: '超过 5 万元', amount_500000: '50 万元及以上', day_total_50000: '当日累计超过 5 万元', day_total_1000000: '当日累计 100 万元及以上', elderly_customer: '老年客户', minor_customer: '未成年客户', risk_customer: '风险客户', fraud_alert: '有过涉诈预警', account_opening: '开户', account_closing: '销户', password_reset: '密码重置', wealth_signing: '理财签约' },
    },
    fraud: {
      page: '涉诈预警', title: '第 {n} 号通话', none: '没有涉诈预警', noneText: '客户说到或打出风险词时，会在这里提醒。', late: '初判已超时', assessIn: '初判剩余', assess: '提交初判', assessHint: '一句话初判：客户为什么这么说？',
      assessment: '初判：', toldLine: '已告诉客户：', proposal: '系统建议：{what}。没有处理之前不能记账。', reason: '决定的理由（内部）', told: '告诉客户的原因', delay: '暂缓（小时）', decide: '确定：{what}', raise: '上报可疑', raiseHint: '觉得不对劲？写一句',
      outcome: { continue: '继续办理', delay: '暂缓办理', stop: '停止办理', report: '停止并报警' },
      toldDefault: { delay: '为了保护您的资金，这笔业务先暂缓办理，请您和家人再商量一下。', stop: '您遇到的情况很像诈骗，为了保护您的资金，这笔业务停止办理。', report: '您遇到的情况很像诈骗，业务已停止，我们会协助您报警。' },
      source: { speech: '说的', chat: '打字', answers: '回答', person: '人工' },
      state: { open: '待初判', assessed: '待决定', decided: '已决定', continue: '继续办理', delay: '已暂缓', stop: '已停止', report: '已停止并报警' },
    },
    postings: {
      title: '交易对账', open: '{n} 笔待处理', none: '还没有交易', yuan: '元', line: '第 {n} 号通话 · {teller} · {at}', reason: '写明依据（至少 5 个字）', settled: '处理说明：', fraudFirst: '请先处理涉诈预警。',
      state: { running: '办理中', undoing: '撤销中', done: '成功', rolled_back: '已撤销', reconcile: '待对账', settled: '已人工处理' },
      may: { retry: '再试一次', undo: '撤销', settle: '已在系统外处理' },
      kind: { hold: '预留', transfer: '转账', fee: '手续费', sweep: '转出余额', open: '开户', status: '改账户状态', contact: '改联系方式', password: '重置密码' },
      step: { pending: '未发送', sent: '等回应', done: '已记账', refused: '被拒绝', undo_sent: '撤销中', undone: '已撤销', stuck: '撤不了' },
      business: { transfer: '转账汇款', bill_payment: '缴费', account_opening: '开户', account_closing: '销户', loss_report: '挂失/解挂', info_change: '信息变更', password_reset: '密码重置' },
    },
    sign: { turn: { customer: '请客户在自己的屏幕上读完文件并签名。', guardian: '请监护人签名。' }, code: '文件验证码', prepare: '重新生成文件', voucher: '凭证验证码' },
    notices: {
      title: '消息通知', failed: '{n} 条没有送达', filter: '按状态', none: '没有消息', attempts: '试了 {n} 次', retry: '再发一次',
      state: { failed: '没有送达', waiting: '等待发送', sent: '已送达', all: '全部' }, channel: { in_app: '应用内', email: '邮件', sms: '短信' },
      kind: { done: '办理结果', fraud_continue: '防诈骗：继续办理', fraud_delay: '防诈骗：暂缓', fraud_stop: '防诈骗：停止', fraud_report: '防诈骗：报警', ticket_answered: '工单答复' },
    },
  },
  en: {
    app: { nav: { reviews: 'Reviews', fraud: 'Fraud alerts', postings: 'Reconciliation', notices: 'Messages' } },
    tool: { fraud: 'Fraud' },
    alarms: { kind: { fraud: { alert: 'Fraud alert' }, review: { waiting: 'Nobody reviews' }, posting: { reconcile: 'Outcome of a transaction unclear' }, notice: { failed: 'Message not delivered' } } },
    error: {
      review: { own_work: 'Nobody reviews own work.', level: 'Your authorisation level is too low.', decided: 'Somebody has decided already.', stale: 'The business has moved on; look at it again.', other_content: 'It is not what you were shown; open it again.', reason_missing: 'Write down why, at least 10 characters.', not_found: 'There is no such request.' },
      fraud: { stale: 'There are new hints; look at them first.', decided: 'This is decided already.', not_yours: 'Only a supervisor lets it go on.', told_missing: 'Write what the customer is told.', delay_missing: 'Say for how many hours.', known: 'This is known already.', not_found: 'There is no such alert.' },
      posting: { own_work: 'Nobody decides about own work.', stale: 'The transaction has moved on; look at it again.', not_open: 'This transaction does not wait to be reconciled.', not_found: 'There is no such transaction.' },
      notice: { not_failed: 'This message has not failed.', refused: 'refused', address_refused: 'no such address or number', channel_off: 'channel not set up', channel_down: 'channel out of order', channel_slow: 'channel does not answer' },
      sign: { other_document: 'Another document is on the screen.' },
    },
    counter: {
      reason: {
        questions: { account: 'Looking up the account', customer_stopped: 'The customer heard the warning and stopped' },
        bank: bankEn,
        sign: { preparing: 'Making the document', sealing: 'Sealing the document', declined: 'The customer does not sign', failed: 'The document could not be made' },
        review: { facts: 'Fetching system data', pending: 'Waits for a second person', returned: 'Sent back by the second person', expired: 'Nobody reviewed it; ask again', refused: 'The second person refused' },
        posting: { running: 'The core system is working', reconcile: 'Outcome unclear; a supervisor reconciles it', fraud_undecided: 'A fraud alert is undecided: nothing is booked', review_missing: 'Not reviewed: nothing is booked', business_over: 'The business was over; rolled back', rolled_back: 'Rolled back' },
        fraud: { stop: 'Stopped: possible fraud', delay: 'Delayed: possible fraud', report: 'Stopped and reported: possible fraud' },
      },
    },
    questions: {
      ask: 'Question {n}: ', purpose: 'Purpose', purpose_note: 'In the customer’s words (optional)', relation: 'Relation to the payee', source: 'Source of the money',
      sentence: { purpose: 'What is the money for?', relation: 'Who is the payee to you?', source: 'Where does the money come from?' },
      value: {
        family: 'Family', shopping: 'Shopping', loan: 'Loan', tuition: 'Tuition', medical: 'Medical', investment: 'Investment', official: 'Told by authorities', other: 'Other',
        self: 'Oneself', friend: 'Friend', colleague: 'Colleague', merchant: 'Merchant', online: 'Internet acquaintance', stranger: 'Stranger', salary: 'Salary', savings: 'Savings', sale: 'Sale',
      },
      bank: 'Owner: {owner}; sent today: {total} yuan', checkAccount: 'Account checked: name and number are as the customer says', checkIdentity: 'Identity checked: the person alone, nobody is prompting',
      save: 'Note it and show the warning', saveAgain: 'Corrected: hand in again', askAgain: 'Look up the account again', waits: 'Warn the customer in words too; the customer answers on the own screen.',
    },
    reviews: {
      pictures: 'Customer and documents', live: 'The customer, live (nobody hears or sees you)', connecting: 'Connecting…',
      title: 'Dual review', level: 'Your level: {n}', none: 'Nothing waits for review', noneText: 'New requests appear here by themselves.', choose: 'Choose one on the left, check it, then decide',
      line: 'Call {n} · {teller} · level {level} · {at}', needs: 'Level {n} needed', waits: 'Waits for a second person:', request: 'Ask for review again',
      voucher: 'Voucher', bank: 'System data', person: 'Identity', questions: 'Three questions', account: 'Account', owner: 'Owner', status: 'State', available: 'Available', dayTotal: 'Sent today', unknownAccount: 'The core system does not know this account', noAccount: 'This business names no account',
      accountStatus: { active: 'active', frozen: 'frozen', closed: 'closed' }, identityLevel: 'Established', class: 'Customer class',
      levelName: { l0: 'not at all', l1: 'document read', l2: 'checked with the register', l3: 'person compared' },
      id: { name: 'Name', number: 'ID number', id_number: 'ID number', birth: 'Born', valid_until: 'Valid until', address: 'Address' },
      alert: 'Hints at fraud: ', extraCheck: 'More than 50 000 yuan today, or a risk: write down why you approve (at least 10 characters).', reason: 'Reason (at least 10 characters to send back or refuse)', approve: 'Approve', return: 'Send back', refuse: 'Refuse', digest: 'Digest',
      state: { waiting: 'waiting', approved: 'approved', refused: 'refused', returned: 'sent back', expired: 'expired', withdrawn: 'withdrawn' },
      why: { flow: 'Asked for by the business', day_total: 'More in a day than the business allows unasked', transfer: 'Transfer', amount_50000: 'More than 50 000 yuan', amount_500000: '500 000 yuan or more', day_total_50000: 'More than 50 000 yuan today', day_total_1000000: '1 million yuan or more today', elderly_customer: 'Elderly customer', minor_customer: 'Minor', risk_customer: 'Risk customer', fraud_alert: 'There was a fraud alert', account_opening: 'Account opening', account_closing: 'Account closing', password_reset: 'Password reset', wealth_signing: 'Wealth product' },
    },
    fraud: {
      page: 'Fraud alerts', title: 'Call {n}', none: 'No fraud alerts', noneText: 'When a customer says or types a danger word, it shows here.', late: 'Assessment overdue', assessIn: 'Assess within', assess: 'Hand in', assessHint: 'First assessment in one sentence',
      assessment: 'Assessment: ', toldLine: 'Told to the customer: ', proposal: 'Proposal: {what}. Nothing is booked before it is decided.', reason: 'Reason (internal)', told: 'What the customer is told', delay: 'Delay (hours)', decide: 'Decide: {what}', raise: 'Report a suspicion', raiseHint: 'Does something feel wrong? One sentence',
      outcome: { continue: 'go on', delay: 'delay', stop: 'stop', report: 'stop and report' },
      toldDefault: { delay: 'To protect your money this business waits. Please talk it over with your family.', stop: 'This looks very much like fraud. To protect your money we stop here.', report: 'This looks very much like fraud. We stop here and help you to report it.' },
      source: { speech: 'said', chat: 'typed', answers: 'answered', person: 'by hand' },
      state: { open: 'to be assessed', assessed: 'to be decided', decided: 'decided', continue: 'went on', delay: 'delayed', stop: 'stopped', report: 'stopped and reported' },
    },
    postings: {
      title: 'Reconciliation', open: '{n} open', none: 'No transactions yet', yuan: 'yuan', line: 'Call {n} · {teller} · {at}', reason: 'On what grounds (at least 5 characters)', settled: 'Settled: ', fraudFirst: 'Decide the fraud alert first.',
      state: { running: 'running', undoing: 'rolling back', done: 'done', rolled_back: 'rolled back', reconcile: 'unclear', settled: 'settled by hand' },
      may: { retry: 'Try again', undo: 'Roll back', settle: 'Settled outside' },
      kind: { hold: 'Set aside', transfer: 'Transfer', fee: 'Fee', sweep: 'Move the rest', open: 'Open', status: 'Change state', contact: 'Change contact', password: 'Reset password' },
      step: { pending: 'not sent', sent: 'no answer yet', done: 'booked', refused: 'refused', undo_sent: 'being undone', undone: 'undone', stuck: 'cannot be undone' },
      business: { transfer: 'Transfer', bill_payment: 'Bill', account_opening: 'Account opening', account_closing: 'Account closing', loss_report: 'Lost card', info_change: 'Change of details', password_reset: 'Password reset' },
    },
    sign: { turn: { customer: 'The customer reads and signs on the own screen.', guardian: 'The guardian signs.' }, code: 'Document code', prepare: 'Make the document again', voucher: 'Voucher code' },
    notices: {
      title: 'Messages to customers', failed: '{n} not delivered', filter: 'By state', none: 'No messages', attempts: 'tried {n} times', retry: 'Send again',
      state: { failed: 'not delivered', waiting: 'waiting', sent: 'delivered', all: 'all' }, channel: { in_app: 'In-app', email: 'E-mail', sms: 'SMS' },
      kind: { done: 'Result', fraud_continue: 'Fraud: goes on', fraud_delay: 'Fraud: delayed', fraud_stop: 'Fraud: stopped', fraud_report: 'Fraud: reported', ticket_answered: 'Answer to a ticket' },
    },
  },
} satisfies AreaTexts
