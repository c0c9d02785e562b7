import { joinTexts, type AreaTexts } from '@shared/i18n'
import en from './en'
import zhCN from './zh-CN'

const areas = import.meta.glob<{ default: AreaTexts }>('./areas/*.ts', { eager: true })

/** All texts: the page's own and those of the files in `areas/`. */
export const MESSAGES = joinTexts({ 'zh-CN': zhCN, en }, Object.values(areas).map((file) => file.default))
