import type { AreaTexts } from '@shared/i18n'

export default {
  'zh-CN': {
    money: {
      questions: {
        listen: '柜员正在问您几个问题，请如实回答。', title: '转账前请想一想', warning1: '公检法不会打电话让您转账，世上没有“安全账户”。', warning2: '陌生人、网友让您转账，多半是骗局。', warning3: '银行的人不会问您要密码和验证码。', warning4: '拿不准，先问问家人，今天不转也没有损失。',
        go: '我已看清楚，确定要转', stop: '我再想想，先不转了',
      },
      sign: {
        loading: '正在打开文件…', retry: '再打开一次', larger: '把字放大', smaller: '缩小看全页', document: '要签名的文件', reading: '请先往下滑，把文件看完。', pad: '请在框里签名', clear: '重写', submit: '签好了', decline: '我不签', interpreted: '由 {name}（{language}）为您口译或代读，已写进文件。', guardian: '监护人姓名', guardianTurn: '您的签名已收到。请监护人看完同一份文件，填写姓名并签名。',
      },
      review: { wait: '另一位工作人员正在核对您的业务，一般不到一分钟。' },
      posting: { wait: '正在办理，请不要关闭页面。' },
      voucher: { at: '{at} 办成', code: '您的凭证验证码：{code}', title: '您的凭证', open: '打开凭证', making: '凭证正在生成，请稍等…', messages: '给您的消息' },
      verify: {
        title: '核对凭证真伪', text: '输入凭证上的验证码，看看是不是我们发的。', code: '验证码', check: '核对', unknown: '没有这份凭证', unknownText: '请核对验证码。如果有人拿这份凭证向您要钱，请不要相信。', found: { voucher: '是我们发的电子凭证', document: '是在我们这里签署的文件' },
        file: '还可以选择凭证文件，看看有没有被改过（文件不会上传）', same: '文件没有被改过', changed: '文件和我们发的不一样',
      },
    },
    counter: {
      reason: {
        questions_account: '正在查询账户。', questions_customer_stopped: '您决定先不转，没有任何扣款。', bank_unavailable: '银行系统没有回应，柜员会再试一次。', sign_preparing: '正在准备您的文件，请稍等。', sign_sealing: '签好了，正在封存文件。', sign_declined: '您没有签名，柜员会和您商量。', sign_failed: '文件没有做好，柜员会再试一次。',
        review_facts: '正在准备复核。', review_pending: '另一位工作人员正在核对您的业务，一般不到一分钟。', review_returned: '复核的同事请柜员再核对一下。', review_expired: '柜员会再提交一次。', review_refused: '这笔业务没有通过复核，没有任何扣款。',
        posting_running: '正在办理，请不要关闭页面。', posting_reconcile: '银行系统没有给出结果，工作人员正在核实，结果会通知您。', posting_fraud_undecided: '为了您的资金安全，工作人员正在核实，请稍等。', posting_review_missing: '这笔业务没有通过复核，没有任何扣款。', posting_rolled_back: '没有办成，没有任何扣款。',
        fraud_stop: '为了保护您的资金，这笔业务停止办理，原因见下面的消息。', fraud_delay: '为了保护您的资金，这笔业务先暂缓，原因见下面的消息。', fraud_report: '为了保护您的资金，这笔业务已停止，我们会协助您报警。',
        bank_insufficient_funds: '余额不足，没有任何扣款。', bank_payee_name: '收款人姓名和账号对不上，没有任何扣款。', bank_no_account: '没有找到账户，没有任何扣款。', bank_account_not_active: '账户状态不正常，没有任何扣款。', bank_payee_not_active: '收款账户状态不正常，没有任何扣款。',
      },
    },
    errors: {
      sign_other_document: '文件已经更新，请重新看一遍。', sign_not_your_turn: '已经签过了。', sign_too_little: '签名太短了，请写完整的姓名。', sign_too_much: '笔画太多了，请重写。', sign_name_missing: '请填写监护人姓名。', document_not_found: '没有找到文件。', voucher_not_found: '凭证还没有做好，请稍后再试。', questions_not_answered: '请先回答柜员的问题。',
    },
  },
  en: {
    money: {
      questions: {
        listen: 'The teller is asking you a few questions. Please answer truthfully.', title: 'Think before you send money', warning1: 'No police or court asks you to transfer money by phone. There is no “safe account”.', warning2: 'Strangers and internet friends who ask for money are mostly frauds.', warning3: 'Nobody from the bank asks for your password or code.', warning4: 'Not sure? Ask your family first. Waiting a day costs nothing.',
        go: 'I have read this and want to send it', stop: 'Let me think: not now',
      },
      sign: {
        loading: 'Opening the document…', retry: 'Open again', larger: 'Larger letters', smaller: 'Whole page', document: 'Document to sign', reading: 'Please scroll down and read it all.', pad: 'Sign in this box', clear: 'Again', submit: 'Done', decline: 'I do not sign', interpreted: '{name} ({language}) interprets or reads it to you; this is written in the document.', guardian: 'Name of the guardian', guardianTurn: 'We have your signature. Now the guardian reads the same document, gives the name and signs.',
      },
      review: { wait: 'A second member of staff is checking your business. Mostly less than a minute.' },
      posting: { wait: 'We are processing this. Please keep the page open.' },
      voucher: { at: 'Done {at}', code: 'Code of your voucher: {code}', title: 'Your voucher', open: 'Open the voucher', making: 'Your voucher is being made…', messages: 'Messages for you' },
      verify: {
        title: 'Check a voucher', text: 'Enter the code printed on it to see whether it is ours.', code: 'Verification code', check: 'Check', unknown: 'We know no such voucher', unknownText: 'Check the code. If somebody asks you for money because of it, do not believe it.', found: { voucher: 'This voucher is ours', document: 'This document was signed with us' },
        file: 'Choose the file as well to see whether it was changed (it is not uploaded)', same: 'The file was not changed', changed: 'The file is not the one we handed out',
      },
    },
    counter: {
      reason: {
        questions_account: 'Looking up the account.', questions_customer_stopped: 'You decided not to send it. Nothing was charged.', bank_unavailable: 'The bank’s system did not answer; the teller tries again.', sign_preparing: 'Your document is being made.', sign_sealing: 'Signed. The document is being sealed.', sign_declined: 'You did not sign; the teller will talk with you.', sign_failed: 'The document could not be made; the teller tries again.',
        review_facts: 'Preparing the check.', review_pending: 'A second member of staff is checking your business. Mostly less than a minute.', review_returned: 'The teller was asked to check again.', review_expired: 'The teller asks again.', review_refused: 'This was not approved. Nothing was charged.',
        posting_running: 'We are processing this. Please keep the page open.', posting_reconcile: 'The bank’s system gave no result; we find out and tell you.', posting_fraud_undecided: 'To keep your money safe we are checking something. Please wait.', posting_review_missing: 'This was not approved. Nothing was charged.', posting_rolled_back: 'It did not work. Nothing was charged.',
        fraud_stop: 'To protect your money we stopped this; the message below says why.', fraud_delay: 'To protect your money this waits; the message below says why.', fraud_report: 'To protect your money we stopped this and help you to report it.',
        bank_insufficient_funds: 'Not enough money; nothing was charged.', bank_payee_name: 'Payee and account do not fit; nothing was charged.', bank_no_account: 'No such account; nothing was charged.', bank_account_not_active: 'The account is not active; nothing was charged.', bank_payee_not_active: 'The payee’s account is not active; nothing was charged.',
      },
    },
    errors: {
      sign_other_document: 'The document is new; please read it again.', sign_not_your_turn: 'This is signed already.', sign_too_little: 'Too short: please write your full name.', sign_too_much: 'Too many strokes: please write again.', sign_name_missing: 'Please give the guardian’s name.', document_not_found: 'The document was not found.', voucher_not_found: 'The voucher is not ready yet; try again.', questions_not_answered: 'Please answer the teller’s questions first.',
    },
  },
} satisfies AreaTexts
