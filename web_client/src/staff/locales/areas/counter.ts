import type { AreaTexts } from '@shared/i18n'

const reasonsZh = {
  form: { correct: '已退回客户修改' },
  fee: { declined: '客户不同意收费' },
  confirm: { objected: '客户认为有不对的地方' },
  step: { reopened: '已重新打开这一步' },
  case: { call_ended: '通话已结束' },
  document: {
    not_readable: '看不清', not_complete: '不完整', not_valid: '已失效', not_genuine: '真实性存疑', wrong_document: '不是要的材料',
  },
  identity: {
    reading: '正在识别证件', checking: '正在核查', expired: '证件已过有效期', mismatch: '证件信息互相矛盾', form_differs: '证件与填写的信息不一致',
    not_read: '有的信息没有识别出来', not_registered: '联网核查不符', registry_unavailable: '联网核查没有回应，请再查一次',
    face_differs: '人脸与证件照不符', face_unavailable: '人脸比对没有回应，请再试一次', no_face: '照片里没有看清人脸',
    phone_not_on_file: '不是银行预留的手机号，验证码没有发出', phone_unavailable: '验证码没有发出去，请再发一次', code_wrong: '验证码不对', code_expired: '验证码已过期，请重新发送',
    challenge_unavailable: '历史交易查询没有回应，请再试一次', answers_unavailable: '答案核对没有回应，请再试一次', answers_wrong: '历史交易回答不符',
    read_unavailable: '证件没有识别成功，请再拍一次', refused: '柜员判断不是本人',
    retake_id_front: '请重拍证件人像面', retake_id_back: '请重拍证件国徽面', retake_face: '请重拍本人',
  },
}
const reasonsEn: typeof reasonsZh = {
  form: { correct: 'Sent back to the customer' },
  fee: { declined: 'The customer does not agree to the fee' },
  confirm: { objected: 'The customer says something is wrong' },
  step: { reopened: 'Opened again' },
  case: { call_ended: 'The call has ended' },
  document: {
    not_readable: 'Not readable', not_complete: 'Not complete', not_valid: 'No longer valid', not_genuine: 'Perhaps not genuine', wrong_document: 'Another document is needed',
  },
  identity: {
    reading: 'Reading the card', checking: 'Checking', expired: 'The ID card has expired', mismatch: 'The card contradicts itself', form_differs: 'The card and the form differ',
    not_read: 'Something could not be read', not_registered: 'Not known to the register', registry_unavailable: 'The register did not answer; check again',
    face_differs: 'The face is not the one on the card', face_unavailable: 'The face comparison did not answer; try again', no_face: 'No face was seen',
    phone_not_on_file: 'Not the phone number on file; no code was sent', phone_unavailable: 'The code could not be sent; send it again', code_wrong: 'Wrong code', code_expired: 'The code is too old; send another',
    challenge_unavailable: 'The questions could not be fetched; try again', answers_unavailable: 'The answers could not be checked; try again', answers_wrong: 'Wrong answers',
    read_unavailable: 'The card could not be read; take it again', refused: 'The teller does not believe it',
    retake_id_front: 'Take the front again', retake_id_back: 'Take the back again', retake_face: 'Take the person again',
  },
}

export default {
  'zh-CN': {
    tool: { business: '办业务' },
    alarms: { kind: { case: { overdue: '业务超时，请协助', unfinished: '业务中断，有步骤不能撤销' } } },
    counter: {
      loading: '正在读取业务', lost: '读不到业务', again: '再试一次', yuan: '元', start: '开始办理：{name}', untilRecorded: '录音录像开始后才能办业务，请稍候。', others: '也可以办别的业务',
      left: '还剩 {n} 分钟', overdue: '已超时，主管已收到通知', progress: '办理进度', reopen: '点一下可重新打开这一步', cancel: '放弃办理',
      tell: '确定', dismiss: '不了', customerActs: '正在等客户在自己的屏幕上操作。',
      ask: { cancel: '放弃办理', cancelHint: '已办的步骤会撤销。请写明原因，客户看得到。', back: '重新打开这一步', backHint: '后面的步骤要重做。请写明原因，客户看得到。' },
      ended: { done: '{name}已办完。', stopped: '{name}没有办成：', cancelled: '{name}已放弃：' },
      class: { minor: '未成年人', adult: '成年人', elderly: '老年客户' },
      state: { pending: '还没到', active: '正在办', waiting: '等待回应', done: '已完成', not_needed: '不需要', stopped: '已终止', rolled_back: '已撤销' },
      blocked: {
        step: {
          call_not_running: '通话没有进行，不能办业务。', consent_missing: '客户没有同意录音录像，不能办业务。',
          recording_not_running: '没有在录音录像，不能办业务。恢复后自动继续。', recording_paused: '录音录像暂停中，结束暂停后继续。',
          identity_too_low: '身份核实还不够，请重新打开“核实身份”。',
        },
      },
      form: {
        prefilled: '客户来之前已填好，请核对。', waits: '等客户填好；也可以替客户填。', accept: '核对无误，下一步', save: '保存修改', return: '退回客户',
        returnHint: '客户会看到您写的话。', changed: '{who}改过，原来是 {before}', empty: '空',
      },
      problem: {
        one_of: '这几项至少填一项', unsuitable: '与客户情况不匹配，不能办理',
        missing: '还没填', unknown: '没有这一项', type: '格式不对', too_long: '太长', characters: '有不能用的字符', format: '格式不对', checksum: '号码校验不通过，请核对每一位',
        birth: '号码里的出生日期不对', choice: '请选一项', range: '数目不对', limit: '超过这项业务的限额',
      },
      fee: { amount: '手续费 {fee} 元' },
      picture: { id_front: '人像面', id_back: '国徽面', face: '本人' },
      card: { name: '姓名', sex: '性别', ethnicity: '民族', birth: '出生', address: '住址', id_number: '公民身份号码', authority: '签发机关', valid_from: '有效期起', valid_until: '有效期止' },
      check: {
        number: '号码校验', birth: '出生日期', sex: '性别', valid_now: '有效期', period: '有效期年限', form_name: '与填写的姓名', form_id_number: '与填写的身份证号',
      },
      mark: { card: '证件', registry: '联网核查', face: '人脸', phone: '验证码', challenge: '历史交易' },
      phone: { sending: '正在发送', sent: '已发送，等客户输入', failed: '没有发出去', confirmed: '已核对' },
      identity: {
        none: '还没拍', take: '现在拍', retake: '退回重拍', unsure: '请看清', wrong: '不一致：', verify: '核查', accept: '人证一致，下一步', refuse: '不是本人',
        reasonHint: '客户会看到您写的话。', sendCode: '发验证码到 {number}', askChallenge: '问历史交易', outstanding: '还差：{what}。齐了才能往下办。',
      },
      documents: {
        upload: '代客户上传',
        open: '打开{name}', other: '其他材料', missing: '还缺：{name}', optional: '可以补充：{name}', uploaded: '待审', accepted: '已通过', returned: '已退回',
        genuine: '真实', complete: '完整', valid: '有效', accept: '通过', return: '退回…', done: '材料齐了，下一步',
      },
      reason: reasonsZh,
    },
    error: {
      case: { running: '这通电话里已有业务在办。', stale: '内容刚刚变了，已显示最新的，请再看一下。', ended: '这笔业务已经结束。' },
      business: { not_found: '这项业务现在不办。' },
      counter: { unavailable: '这里办不了业务，请联系管理员。' },
      step: {
        call_not_running: '通话没有进行，不能办业务。', consent_missing: '客户没有同意录音录像。', recording_not_running: '没有在录音录像，不能办业务。', recording_paused: '录音录像暂停中。',
        not_open: '这一步不在办。', waiting: '正在等回应，请稍候。', not_yours: '这一步要由对方操作。', final: '这一步办成后不能撤销。', not_done: '只有办完的步骤可以重新打开。',
        unknown: '没有这一步。', unknown_action: '这一步没有这个操作。', identity_too_low: '身份核实还不够。',
      },
      fields: { invalid: '有的地方填得不对，已标出。' },
      form: { not_filled: '还没填好。' },
      confirm: { changed: '内容变了，请客户再看一遍。' },
      identity: {
        incomplete: '还有没核实的，见下面没打勾的。', no_phone: '没有手机号。', too_many_codes: '验证码发得太多，不能再发。', no_code: '还没发验证码。', no_questions: '还没有出题。',
      },
      document: {
        missing: '还有材料缺少或没有审。', unknown: '不要这份材料。', too_many: '材料太多。', not_found: '没有找到这份材料。', unreadable: '图片打不开或太小。', type: '只能用照片或 PDF。',
        too_large: '文件太大。', empty: '文件是空的。', active: '这个 PDF 里有脚本，不能用。', no_thumbnail: '没有缩略图。',
      },
    },
  },
  en: {
    tool: { business: 'Business' },
    alarms: { kind: { case: { overdue: 'A business takes too long; please help', unfinished: 'A business broke off after a step that cannot be undone' } } },
    counter: {
      loading: 'Loading', lost: 'The business cannot be loaded', again: 'Try again', yuan: 'yuan', start: 'Begin: {name}', untilRecorded: 'Business can begin once the recording runs. One moment.', others: 'Something else',
      left: '{n} min left', overdue: 'Over time; the supervisor knows', progress: 'Progress', reopen: 'Open this step again', cancel: 'Give up',
      tell: 'OK', dismiss: 'No', customerActs: 'The customer acts on the own screen now.',
      ask: { cancel: 'Give up', cancelHint: 'What was done is undone. The customer reads your reason.', back: 'Open this step again', backHint: 'Later steps are done again. The customer reads your reason.' },
      ended: { done: '{name} is done.', stopped: '{name} was not done: ', cancelled: '{name} was given up: ' },
      class: { minor: 'Minor', adult: 'Adult', elderly: 'Elderly' },
      state: { pending: 'Later', active: 'Now', waiting: 'Waiting', done: 'Done', not_needed: 'Not needed', stopped: 'Stopped', rolled_back: 'Undone' },
      blocked: {
        step: {
          call_not_running: 'The call does not run; no business can be done.', consent_missing: 'The customer did not consent to recording.',
          recording_not_running: 'Nothing is recorded; no business can be done. It goes on by itself.', recording_paused: 'The recording is paused; end the pause to go on.',
          identity_too_low: 'The identity is not established well enough: open “Identity” again.',
        },
      },
      form: {
        prefilled: 'Filled in before the call; please check.', waits: 'The customer fills it in; you may do it instead.', accept: 'Correct, go on', save: 'Save', return: 'Send back',
        returnHint: 'The customer reads what you write.', changed: 'Changed by {who}, was {before}', empty: 'empty',
      },
      problem: {
        one_of: 'At least one of these', unsuitable: 'Does not go together; cannot be done',
        missing: 'Missing', unknown: 'No such field', type: 'Wrong format', too_long: 'Too long', characters: 'Characters that cannot be used', format: 'Wrong format', checksum: 'The number’s check digit is wrong',
        birth: 'The number’s birth date is wrong', choice: 'Choose one', range: 'Not a possible amount', limit: 'More than this business allows',
      },
      fee: { amount: 'Fee {fee} yuan' },
      picture: { id_front: 'Front', id_back: 'Back', face: 'Person' },
      card: { name: 'Name', sex: 'Sex', ethnicity: 'Ethnicity', birth: 'Born', address: 'Address', id_number: 'ID number', authority: 'Issued by', valid_from: 'Valid from', valid_until: 'Valid until' },
      check: { number: 'check digit', birth: 'birth date', sex: 'sex', valid_now: 'validity', period: 'term', form_name: 'name in the form', form_id_number: 'number in the form' },
      mark: { card: 'Card', registry: 'Register', face: 'Face', phone: 'Code', challenge: 'Questions' },
      phone: { sending: 'Sending', sent: 'Sent; the customer types it', failed: 'Not sent', confirmed: 'Right' },
      identity: {
        none: 'not there', take: 'Take now', retake: 'Take again', unsure: 'look closely', wrong: 'Does not agree: ', verify: 'Check', accept: 'It is the person, go on', refuse: 'Not the person',
        reasonHint: 'The customer reads what you write.', sendCode: 'Send a code to {number}', askChallenge: 'Ask questions', outstanding: 'Still missing: {what}.',
      },
      documents: {
        upload: 'Upload for the customer',
        open: 'Open {name}', other: 'Other', missing: 'Missing: {name}', optional: 'May be added: {name}', uploaded: 'To check', accepted: 'Accepted', returned: 'Sent back',
        genuine: 'genuine', complete: 'complete', valid: 'valid', accept: 'Accept', return: 'Send back…', done: 'Complete, go on',
      },
      reason: reasonsEn,
    },
    error: {
      case: { running: 'A business is running in this call.', stale: 'It has just changed; the newest is shown.', ended: 'This business has ended.' },
      business: { not_found: 'This business is not offered now.' },
      counter: { unavailable: 'No business can be done here.' },
      step: {
        call_not_running: 'The call does not run.', consent_missing: 'The customer did not consent to recording.', recording_not_running: 'Nothing is recorded.', recording_paused: 'The recording is paused.',
        not_open: 'This step is not open.', waiting: 'An answer is awaited.', not_yours: 'The other side does this.', final: 'This cannot be undone.', not_done: 'Only steps that are done can be opened again.',
        unknown: 'There is no such step.', unknown_action: 'The step has no such action.', identity_too_low: 'The identity is not established well enough.',
      },
      fields: { invalid: 'Some fields are not right; they are marked.' },
      form: { not_filled: 'It is not filled in.' },
      confirm: { changed: 'It has changed; the customer must read it again.' },
      identity: {
        incomplete: 'Something is not established yet.', no_phone: 'No phone number.', too_many_codes: 'No more codes can be sent.', no_code: 'No code was sent.', no_questions: 'Nothing was asked.',
      },
      document: {
        missing: 'Documents are missing or not checked.', unknown: 'This document is not needed.', too_many: 'Too many documents.', not_found: 'There is no such document.', unreadable: 'The picture is damaged or too small.', type: 'Only pictures and PDF files.',
        too_large: 'The file is too large.', empty: 'The file is empty.', active: 'This PDF has scripts in it.', no_thumbnail: 'No small picture.',
      },
    },
  },
} satisfies AreaTexts
