import type { AreaTexts } from '@shared/i18n'

export default {
  'zh-CN': {
    counter: {
      progress: '第 {at} 步，共 {of} 步', aloud: '读给我听', teller: '柜员：', wait: '请稍等，柜员正在办理。', dismiss: '知道了', yuan: '元',
      blocked: '录音录像或通话暂时没有进行，业务先停一下，恢复后会接着办。',
      ended: { done: '{name}已经办好', stopped: '{name}这次没有办成', cancelled: '{name}已取消，已办的步骤都撤销了' },
      problem: {
        one_of: '这几项至少填一项', unsuitable: '风险比您能承受的高，不能办理，请换一项',
        missing: '这里还没填', too_long: '太长了', characters: '有不能用的字符，请检查', format: '格式不对，请检查', checksum: '号码不对，请核对每一位', birth: '号码不对，请核对每一位',
        choice: '请选一项', range: '请填大于零的金额', limit: '超过了可以办理的金额', type: '请填数字',
      },
      demo: {
        title: '演示助手', only: '只在演示环境出现：客户和证件都是虚构的，短信没有真的发出。', fill: '用“{name}”的资料填写', card: '用“{name}”的演示身份证',
        inbox: '模拟手机收到的短信', none: '还没有短信。柜员点“发验证码”后，短信会出现在这里。', answers: '这位虚构客户的答案（尾号 {masked}）', to: '发给 {phone}',
      },
      form: { submit: '填好了', sent: '已交给柜员，请稍等。', optional: '（可不填）', changed: '柜员改过这里，请看一下对不对' },
      fee: { free: '不收费', amount: '要收 {fee} 元', of: '办理金额 {amount} 元', agree: '我知道了，同意', decline: '不同意' },
      confirm: { yes: '没有问题，确认', object: '有地方不对', what: '哪里不对？', tell: '告诉柜员', back: '再看一遍' },
      before: {
        invite: '还没到时间？可以先把信息填好', title: '先填好信息', text: '选要办的业务，填好后会得到一个二维码，到时扫一扫，柜员就能直接看到。', lead: '填不来的可以空着不填，接通后柜员会帮您。必填的要填好才能保存。', none: '这项业务不用提前填。',
        save: '填好了，生成二维码', another: '换一项业务', done: '已填好', doneText: '请拍下或保存这个二维码，{until}前来办业务时扫一扫。', code: '带着已填信息进入的二维码', once: '二维码只能用一次，只给您自己用。扫码的人看不到您填的内容，只有接通的柜员能看到。', now: '现在就去办', used: '这个二维码已经用过了，一个二维码只能用一次。请重新填写，或接通后由柜员帮您填。', old: '这个二维码已经过期，或不是这项业务的。请重新填写，或接通后由柜员帮您填。',
      },
      prefill: {
        title: '先填好信息，等会儿办得快', open: '现在填', save: '保存', saved: '已保存，接通后柜员会直接看到。', edit: '再改一下', later: '先不填',
      },
      picture: { camera: '摄像头画面', take: '拍照', file: '从相册或文件里选', none: '没有拍到，请再试一次' },
      identity: {
        id_front: '拍身份证有头像的一面', id_back: '拍身份证有国徽的一面', face: '请看镜头，拍一张您本人', wait: '都收到了，柜员正在核对，请稍等。',
        faceConsent: '要用您的面部照片核对身份，您同意吗？', faceAgree: '同意，拍照核对', faceRefuse: '不同意，改为回答问题',
        code: '请输入发到 {number} 的 6 位验证码', codeSecret: '只在这里输入，不要说出来，也不要告诉任何人。', codeSend: '提交验证码', answer: '答好了',
      },
      documents: {
        none: '这次不需要材料。', missing: '需要', optional: '可以不交', uploaded: '柜员正在看', accepted: '已通过', returned: '请重新拍', bring: '拍照或上传', better: '重新拍一张', wait: '交好以后请稍等，柜员会当场审核。',
      },
      reason: {
        form_correct: '柜员请您改一下。', fee_declined: '您不同意收费，柜员会和您商量。', confirm_objected: '已告诉柜员，请稍等。', step_reopened: '柜员请您再看一遍这一步。',
        case_call_ended: '通话结束了。',
        document_not_readable: '照片看不清。', document_not_complete: '材料没有拍全。', document_not_valid: '材料已过期。', document_not_genuine: '材料有疑问。', document_wrong_document: '不是这份材料。',
        identity_reading: '正在看您的证件。', identity_checking: '正在核对，请稍等。', identity_expired: '身份证已经过期，要先到公安机关换领。', identity_mismatch: '证件上的信息对不上，柜员正在核对。',
        identity_form_differs: '证件和填写的信息不一样，柜员正在核对。', identity_not_read: '有的字没有看清，柜员正在核对。', identity_not_registered: '身份信息没有核对上。您可以带身份证到网点办理，或拨打客服电话申诉。',
        identity_registry_unavailable: '核对系统没有回应，柜员会再试一次。', identity_face_differs: '没有认出是您本人，请正对镜头再来一次。', identity_face_unavailable: '比对系统没有回应，柜员会再试一次。',
        identity_no_face: '没有看清您的脸，请到亮一点的地方正对镜头。', identity_phone_not_on_file: '这个手机号不是您在银行预留的号码，验证码没有发出。请改填预留的手机号；换了号码的，请先到网点变更。', identity_phone_unavailable: '验证码没有发出去，柜员会再发一次。', identity_code_wrong: '验证码不对，请再看一下。', identity_code_expired: '验证码过期了，请柜员再发一次。',
        identity_challenge_unavailable: '系统没有回应，柜员会再试一次。', identity_answers_unavailable: '系统没有回应，柜员会再试一次。', identity_answers_wrong: '回答没有核对上。您可以带身份证到网点办理。',
        identity_read_unavailable: '没有看清证件，请再拍一次。', identity_refused: '柜员没能确认是您本人。您可以带身份证到网点办理，或拨打客服电话申诉。',
        identity_retake_id_front: '请再拍一次有头像的一面。', identity_retake_id_back: '请再拍一次有国徽的一面。', identity_retake_face: '请再拍一次您本人。',
      },
    },
    errors: {
      consent_face_required: '要先征得您本人同意，才能拍面部照片。',
      case_stale: '内容刚刚变了，请再看一下。', case_ended: '这笔业务已经结束。', case_not_found: '没有找到这笔业务。', fields_invalid: '有的地方要改一下，已经标出来了。', confirm_changed: '内容变了，请再看一遍。',
      step_not_open: '这一步现在不用做。', step_waiting: '正在核对，请稍等。', step_not_yours: '这一步由柜员来做。', step_recording_not_running: '录音录像没有进行，请稍等。', step_recording_paused: '录音录像暂停中，请稍等。',
      step_call_not_running: '通话没有进行。', step_consent_missing: '需要您先同意录音录像。', document_type: '只能用照片（JPG、PNG）或 PDF。', document_too_large: '文件太大，请换一个小于 10 MB 的。',
      document_unreadable: '这张图片打不开或太小，请换一张。', document_empty: '文件是空的，请换一个。', document_active: '这个 PDF 不能用，请拍照。', document_unknown: '不需要这份材料。', document_too_many: '材料太多了。', input_invalid: '内容不符合要求，请检查。',
    },
  },
  en: {
    counter: {
      progress: 'step {at} of {of}', aloud: 'Read it to me', teller: 'Teller: ', wait: 'Please wait, the teller is busy with it.', dismiss: 'OK', yuan: 'yuan',
      blocked: 'The recording or the call is interrupted. It goes on as soon as it is back.',
      ended: { done: '{name}: done', stopped: '{name}: not done this time', cancelled: '{name}: cancelled, everything was undone' },
      problem: {
        one_of: 'Fill in at least one of these', unsuitable: 'More risk than you can bear; please choose another',
        missing: 'Please fill this in', too_long: 'Too long', characters: 'There are characters that cannot be used', format: 'Please check the format', checksum: 'Please check every digit', birth: 'Please check every digit',
        choice: 'Please choose one', range: 'Please enter an amount above zero', limit: 'More than can be done here', type: 'Please enter a number',
      },
      demo: {
        title: 'Demo helper', only: 'Only in the demo: customers and cards are invented, no message was really sent.', fill: 'Fill in the details of “{name}”', card: 'Use the demo ID card of “{name}”',
        inbox: 'Messages on the simulated phone', none: 'None yet. When the teller sends the code, it appears here.', answers: 'Answers of this invented customer ({masked})', to: 'To {phone}',
      },
      form: { submit: 'Ready', sent: 'The teller has it. Please wait.', optional: '(optional)', changed: 'The teller changed this. Please check it' },
      fee: { free: 'Free of charge', amount: 'It costs {fee} yuan', of: 'Amount {amount} yuan', agree: 'I agree', decline: 'I do not agree' },
      confirm: { yes: 'All is right, confirm', object: 'Something is wrong', what: 'What is wrong?', tell: 'Tell the teller', back: 'Look again' },
      before: {
        invite: 'Not now? Fill the form in beforehand', title: 'Fill the form in beforehand', text: 'Choose a business and fill its form in. You get a QR code; scan it when you come, and the teller sees what you wrote.', lead: 'The teller can help you with it in the call. What is required has to be there before it can be kept.', none: 'There is nothing to fill in for this business.',
        save: 'Done, show the QR code', another: 'Another business', done: 'All filled in', doneText: 'Take a picture of this QR code and scan it when you come, before {until}.', code: 'QR code that brings what you wrote along', once: 'It works once. Who scans it does not see what you wrote; only your teller does.', now: 'Do the business now', used: 'This QR code was used before; each works once. Please fill the form in again, or let the teller do it.', old: 'This QR code is too old, or for another business. Please fill the form in again, or let the teller do it.',
      },
      prefill: {
        title: 'Fill in your details now and be served faster', open: 'Fill in now', save: 'Save', saved: 'Saved. The teller will see it.', edit: 'Change it', later: 'Not now',
      },
      picture: { camera: 'Camera', take: 'Take picture', file: 'Choose a photo or file', none: 'No picture was taken, please try again' },
      identity: {
        id_front: 'The side of your ID card with the portrait', id_back: 'The side of your ID card with the emblem', face: 'Look into the camera', wait: 'We have everything; the teller is checking it.',
        faceConsent: 'May we check who you are by a picture of your face?', faceAgree: 'I agree', faceRefuse: 'No, ask me questions instead',
        code: 'Enter the 6 digits sent to {number}', codeSecret: 'Type it here only. Do not say it aloud and tell nobody.', codeSend: 'Send', answer: 'Ready',
      },
      documents: {
        none: 'No documents are needed.', missing: 'needed', optional: 'optional', uploaded: 'the teller is looking', accepted: 'accepted', returned: 'please take it again', bring: 'Take a picture or upload', better: 'Take it again', wait: 'Please wait then: the teller checks right away.',
      },
      reason: {
        form_correct: 'The teller asks you to change something.', fee_declined: 'You do not agree to the fee; the teller will talk to you.', confirm_objected: 'The teller knows, please wait.', step_reopened: 'Please look at this step again.',
        case_call_ended: 'The call has ended.',
        document_not_readable: 'It cannot be read.', document_not_complete: 'Part of it is missing.', document_not_valid: 'It is no longer valid.', document_not_genuine: 'It raises doubts.', document_wrong_document: 'It is another document.',
        identity_reading: 'Your card is being read.', identity_checking: 'Checking, please wait.', identity_expired: 'Your ID card has expired; please renew it first.', identity_mismatch: 'The card does not agree with itself; the teller is checking.',
        identity_form_differs: 'The card and the form differ; the teller is checking.', identity_not_read: 'Something could not be read; the teller is checking.', identity_not_registered: 'Your identity could not be confirmed. You may visit a branch with your ID card, or complain by phone.',
        identity_registry_unavailable: 'No answer; the teller tries again.', identity_face_differs: 'You were not recognised; please look straight into the camera.', identity_face_unavailable: 'No answer; the teller tries again.',
        identity_no_face: 'Your face was not seen; please find more light.', identity_phone_not_on_file: 'This is not the phone number the bank holds for you, so no code was sent. Give the number on file; to change it, visit a branch first.', identity_phone_unavailable: 'The code was not sent; the teller tries again.', identity_code_wrong: 'Wrong code, please look again.', identity_code_expired: 'The code is too old; the teller sends another.',
        identity_challenge_unavailable: 'No answer; the teller tries again.', identity_answers_unavailable: 'No answer; the teller tries again.', identity_answers_wrong: 'The answers were not right. You may visit a branch with your ID card.',
        identity_read_unavailable: 'The card was not read, please take it again.', identity_refused: 'The teller could not make sure that it is you. You may visit a branch with your ID card, or complain by phone.',
        identity_retake_id_front: 'Please take the portrait side again.', identity_retake_id_back: 'Please take the emblem side again.', identity_retake_face: 'Please take your picture again.',
      },
    },
    errors: {
      consent_face_required: 'Your own consent comes before a picture of your face.',
      case_stale: 'It has just changed, please look again.', case_ended: 'This has ended.', case_not_found: 'This was not found.', fields_invalid: 'Some fields need a change; they are marked.', confirm_changed: 'It has changed, please read it again.',
      step_not_open: 'There is nothing to do here now.', step_waiting: 'Checking, please wait.', step_not_yours: 'The teller does this.', step_recording_not_running: 'Nothing is recorded, please wait.', step_recording_paused: 'The recording is paused, please wait.',
      step_call_not_running: 'The call does not run.', step_consent_missing: 'Please agree to the recording first.', document_type: 'Only photos (JPG, PNG) or PDF.', document_too_large: 'Too large; at most 10 MB.',
      document_unreadable: 'The picture is damaged or too small.', document_empty: 'The file is empty.', document_active: 'This PDF cannot be used; please take a picture.', document_unknown: 'This document is not needed.', document_too_many: 'Too many documents.', input_invalid: 'Please check what you entered.',
    },
  },
} satisfies AreaTexts
