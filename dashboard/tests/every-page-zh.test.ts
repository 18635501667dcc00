// Every page in Chinese.
import { checkEveryPage } from "./support/every-page";

checkEveryPage("zh-CN");
